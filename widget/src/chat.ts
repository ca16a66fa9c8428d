import type { Config, Context } from "./config.ts";
import { send, type Upload } from "./files.ts";
import type { Unsent } from "./kept.ts";
import { fromHistory, type Message, newId, newMessage } from "./message.ts";
import { Outbox } from "./outbox.ts";
import type {
  Attachment,
  Author,
  ClientFrame,
  ErrorFrame,
  Hello,
  Identity,
  Past,
  Phase,
  ServerFrame,
  ShownFrame,
  Welcome,
} from "./protocol.ts";
import { Sequencer } from "./sequence.ts";
import { Connection, type Link } from "./socket.ts";
import type { Storage } from "./storage.ts";

const TYPING_SHOWN_MS = 6_000;
const TYPING_SENT_EVERY_MS = 3_000;
const ANSWER_WITHIN_MS = 45_000;
/** A cut shorter than this is no news to the visitor. */
const CUT_SHOWN_AFTER_MS = 2_000;
/** How many files a message may carry. */
const MOST_FILES = 5;

/** Something to tell that belongs to no message. `until` is a time in ms since the epoch. */
export interface Notice {
  code: string;
  detail: string;
  until?: number;
}

export interface ChatState {
  messages: Message[];
  phase: Phase;
  link: Link;
  /** The connection has been away for so long that the visitor should know. */
  cut?: boolean;
  /** The member of the team who wrote last. */
  person?: Author;
  typing?: Author;
  thinking?: boolean;
  notice?: Notice;
  unread: number;
  greeting: string;
  suggestions: string[];
  name: string;
  avatar?: string;
  leadGiven?: boolean;
  rated?: boolean;
  handoffAsked?: boolean;
  /** The team has seen everything up to this number. */
  seen: number;
  /** Files chosen for the next message. */
  uploads: Upload[];
  /** The visitor's conversations, once they were asked for. */
  past?: Past[];
  /** What the server has last done on request. */
  done?: { what: string; receipt?: string };
}

interface Surroundings {
  config: Config;
  storage: Storage;
  locale(): string;
  visible(): boolean;
  changed(): void;
  /** The words for a file that did not arrive. */
  uploadFailed(): string;
  emit(name: string, detail?: unknown): void;
}

/** A conversation as the visitor sees it: what is shown, and what the visitor does. */
export class Chat {
  state: ChatState;
  identity: Identity | undefined;
  context: Context = {};
  readonly #connection: Connection;
  readonly #sequencer: Sequencer;
  readonly #outbox: Outbox;
  #later: ClientFrame[] = [];
  /** The next hello asks for the whole history instead of what was missed. */
  #fresh = true;
  #resuming = false;
  #typingTimer: ReturnType<typeof setTimeout> | undefined;
  #thinkingTimer: ReturnType<typeof setTimeout> | undefined;
  #cutTimer: ReturnType<typeof setTimeout> | undefined;
  #typingSentAt = 0;
  #greeting: string | undefined;
  /** What is shown here; another tab may have gone on to another one. */
  #shown: string | undefined;

  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
    const { config, storage } = around;
    this.state = this.#blank();
    this.#sequencer = new Sequencer({
      apply: (frame) => this.#apply(frame),
      resume: () => this.#connection.restart(),
    });
    this.#outbox = new Outbox(storage, (frame) => this.#connection.ready && this.#connection.send(frame));
    this.#connection = new Connection(config.socket, {
      hello: () => this.#hello(),
      frame: (frame) => this.#onFrame(frame),
      expects: () => Boolean(this.#streaming()),
      link: (link) => this.#onLink(link),
      tokenRefused: () => this.#forgetToken(),
    });
    for (const unsent of storage.session.unsent ?? []) this.#showOwn(unsent);
  }

  connect(): void {
    this.#connection.open();
  }

  /** With the files that were chosen and have arrived. */
  send(text: string): void {
    const attachments = this.state.uploads.flatMap(({ done }) => done ?? []);
    const unsent = { client_id: newId(), text, attachments };
    this.#showOwn(unsent);
    this.#outbox.add(unsent);
    this.connect();
    this.#update({ notice: undefined, uploads: [] });
    this.#around.emit("sent", { text });
  }

  /** Begin with other words than the agent's greeting. */
  greet(text: string): void {
    this.#greeting = text;
    this.#update({ greeting: text });
  }

  attach(files: Iterable<File>): void {
    const uploads = Array.from(files, (file): Upload => ({ file, progress: 0 }));
    this.#update({ uploads: [...this.state.uploads, ...uploads].slice(0, MOST_FILES) });
    this.connect();
    this.#upload();
  }

  detach(upload: Upload): void {
    upload.request?.abort();
    this.#update({ uploads: this.state.uploads.filter((other) => other !== upload) });
  }

  /** Where the workspace answers to plain requests about this agent. */
  address(what: "upload" | "data"): string {
    const { socket, agent_id } = this.#around.config;
    return new URL(`/widget/${what}/${agent_id}/`, socket.replace(/^ws/, "http")).href;
  }

  /** Send a message again that was refused, under its own id: stored or not, it is there once. */
  resend(message: Message): void {
    if (!message.clientId) return;
    message.status = "sending";
    message.error = undefined;
    const { clientId: client_id, text, attachments } = message;
    this.#outbox.add({ client_id, text, attachments });
    this.connect();
    this.#update({ notice: undefined });
  }

  /** Take a message back that never reached the server, or is there twice. */
  discard(message: Message): void {
    if (message.clientId) this.#outbox.remove(message.clientId);
    this.#update({ messages: this.state.messages.filter((other) => other !== message) });
  }

  /** Ask once more for the answer that failed. */
  askAgain(answer: Message): void {
    const before = this.state.messages.slice(0, this.state.messages.indexOf(answer));
    const question = before.reverse().find((message) => message.author.kind === "visitor");
    if (question) this.send(question.text);
  }

  stop(): void {
    const answer = this.#streaming();
    if (answer) this.#connection.send({ type: "stop", message: answer.id });
  }

  typing(): void {
    const now = Date.now();
    const heard = this.state.phase === "human" || this.state.phase === "waiting";
    if (!heard || now - this.#typingSentAt < TYPING_SENT_EVERY_MS) return;
    this.#typingSentAt = now;
    this.#connection.send({ type: "typing" });
  }

  feedback(message: Message, value: number, comment?: string): void {
    message.feedback = value;
    this.#tell({ type: "feedback", message: message.id, value, ...(comment && { comment }) });
    this.#update({});
  }

  rate(score: number, comment?: string): void {
    this.#tell({ type: "rating", score, ...(comment && { comment }) });
    this.#update({ rated: true });
  }

  lead(fields: Record<string, string>): void {
    this.#tell({ type: "lead", fields });
    this.#update({ leadGiven: true });
    this.#around.emit("lead", { fields });
  }

  handoff(reason?: string): void {
    this.#tell({ type: "handoff", ...(reason && { reason }) });
    this.#update({ handoffAsked: true });
  }

  end(): void {
    this.#tell({ type: "end" });
  }

  /** Ask for something that a `done` or `conversations` frame answers. */
  request(frame: ClientFrame): void {
    this.#update({ done: undefined, past: undefined });
    this.#tell(frame);
  }

  /** Tell the visitor something; nothing takes back what was told. */
  notify(detail = ""): void {
    this.#update({ notice: detail ? { code: "told", detail } : undefined });
  }

  /** Leave the conversation where it is; go to another or begin one. */
  startOver(conversation?: string): void {
    this.#around.storage.set({ conversation, live: false, read: undefined });
    this.#begin();
    this.#connection.restart();
  }

  /** The visitor sees the conversation now. */
  markRead(): void {
    const { storage } = this.#around;
    const seq = this.#sequencer.last;
    if (seq !== storage.get().read) {
      storage.set({ read: seq });
      if (seq) this.#connection.send({ type: "read", seq });
    }
    if (this.state.unread) this.#update({ unread: 0 });
  }

  /** Say hello again with what has changed (a signed identity); the history is read anew. */
  reintroduce(): void {
    this.#fresh = true;
    if (this.state.link !== "idle") this.#connection.restart();
  }

  /** Forget the visitor, as if they had never been here. */
  forget(): void {
    this.#connection.close();
    this.#around.storage.forget();
    this.identity = undefined;
    this.#begin();
    this.#update({});
  }

  destroy(): void {
    this.#connection.destroy();
    this.#outbox.clear();
    this.#sequencer.forgetHeld();
    clearTimeout(this.#typingTimer);
    clearTimeout(this.#thinkingTimer);
    clearTimeout(this.#cutTimer);
  }

  // What the server says

  #onFrame(frame: ServerFrame): void {
    if (frame.type === "welcome") this.#onWelcome(frame);
    else if (frame.type === "error") this.#onError(frame);
    else if (frame.type === "typing") this.#onTyping(frame.author);
    else if (frame.type === "read") this.#update({ seen: Math.max(frame.seq, this.state.seen) });
    else if (frame.type === "conversations") this.#update({ past: frame.items });
    else if (frame.type === "done") this.#onDone(frame);
    else if ("seq" in frame) {
      // An ack clears what waits even when its place in the order was shown long ago.
      if (frame.type === "ack") this.#confirm(frame.client_id, frame.message, frame.seq);
      this.#sequencer.push(frame);
      this.#remember();
    }
  }

  #onLink(link: Link): void {
    clearTimeout(this.#cutTimer);
    const offline = link === "offline";
    if (offline && !this.state.cut)
      this.#cutTimer = setTimeout(() => this.#update({ cut: true }), CUT_SHOWN_AFTER_MS);
    this.#update({ link, cut: offline && this.state.cut });
  }

  #onWelcome(frame: Welcome): void {
    const { storage } = this.#around;
    const resumed =
      this.#resuming && frame.conversation === storage.get().conversation && !frame.history?.length;
    this.#fresh = false;
    this.#shown = frame.conversation;
    storage.set({ visitor: frame.visitor, conversation: frame.conversation });
    if (resumed) this.#sequencer.forgetHeld();
    else this.#replace(frame);
    const { name, avatar, greeting, suggestions } = { ...this.state, ...frame.agent };
    this.#update({ phase: frame.state, name, avatar, suggestions, greeting: this.#greeting ?? greeting });
    for (const told of this.#later.splice(0)) this.#connection.send(told);
    this.#outbox.flush();
    this.#upload();
    this.#remember();
  }

  #onDone(frame: ServerFrame & { type: "done" }): void {
    if (frame.what === "forget") this.forget();
    this.#update({ done: frame });
  }

  #replace(frame: Welcome): void {
    const history = (frame.history ?? []).map((stored, place) => fromHistory(stored, place, frame.seq));
    const known = new Set(history.map((message) => message.clientId).filter(Boolean));
    const pending = this.state.messages.filter((message) => message.clientId && message.status !== "stored");
    const unsent = pending.filter((message) => !known.has(message.clientId));
    for (const { clientId } of pending) if (clientId && known.has(clientId)) this.#outbox.remove(clientId);
    this.#sequencer.reset(frame.seq);
    this.#update({ messages: [...history, ...unsent], person: lastPerson(history) });
    const last = history.at(-1);
    this.#think(frame.state === "bot" && last?.author.kind === "visitor");
    const { read } = this.#around.storage.get();
    const fresh = history.filter((message) => message.author.kind !== "visitor" && message.seq > (read ?? 0));
    if (this.#around.visible()) this.markRead();
    else this.#update({ unread: frame.unread ?? (read === undefined ? 0 : fresh.length) });
  }

  #apply(frame: ShownFrame): void {
    if (frame.type === "ack") this.#applyAck(frame);
    else if (frame.type === "state") this.#applyState(frame.state, frame.author);
    else if (frame.type === "message") this.#applyMessage(frame);
    else if (/^(start|token|end)$/.test(frame.type)) this.#applyAnswer(frame);
    // Pieces of an answer are read with its end.
    if (this.#around.visible() && frame.type !== "token") this.markRead();
  }

  #applyAck(frame: ShownFrame & { type: "ack" }): void {
    if (this.#find(frame.message)) this.#think(this.state.phase === "bot");
    else if (frame.text !== undefined) {
      this.#insert(newMessage(frame.message, { kind: "visitor" }, frame.seq, { text: frame.text }));
      this.#think(this.state.phase === "bot");
    } else {
      // Written in another tab: its text stands in the history.
      this.#fresh = true;
      this.#connection.restart();
    }
  }

  #applyState(phase: Phase, author: Author | undefined): void {
    if (phase !== "bot") this.#think(false);
    this.#update({
      phase,
      typing: undefined,
      person: author ?? this.state.person,
      handoffAsked: phase === "waiting" && this.state.handoffAsked,
    });
    this.#around.emit("state", { state: phase });
  }

  #applyMessage(frame: ShownFrame & { type: "message" }): void {
    const { author, text, attachments = [] } = frame;
    const message = newMessage(frame.message, author, frame.seq, { text, attachments });
    if (author.kind === "visitor") {
      if (frame.client_id) this.#confirm(frame.client_id, frame.message, frame.seq);
      if (!this.#find(frame.message)) this.#insert(message);
      this.#think(this.state.phase === "bot");
      return;
    }
    this.#insert(message);
    this.#think(false);
    this.#update({ typing: undefined, ...(author.kind === "human" && { person: author }) });
    this.#arrived({ author, text });
  }

  #applyAnswer(frame: ShownFrame & { type: "start" | "token" | "end" }): void {
    const answer =
      this.#find(frame.message) ?? this.#insert(newMessage(frame.message, { kind: "bot" }, frame.seq));
    this.#think(false);
    if (frame.type !== "end") {
      const text = frame.type === "start" ? "" : answer.text + frame.text;
      Object.assign(answer, { text, streaming: true });
    } else {
      Object.assign(answer, {
        text: frame.text,
        streaming: false,
        citations: frame.citations ?? [],
        grounded: frame.grounded !== false,
        stopped: frame.stopped,
      });
      this.#arrived({ author: answer.author, text: frame.text });
    }
    this.#update({});
  }

  #onTyping(author: Author): void {
    clearTimeout(this.#typingTimer);
    this.#typingTimer = setTimeout(() => this.#update({ typing: undefined }), TYPING_SHOWN_MS);
    this.#update({ typing: author });
  }

  #onError(frame: ErrorFrame): void {
    const { code, detail, client_id, retry_after } = frame;
    const message = client_id && this.state.messages.find((other) => other.clientId === client_id);
    const until = retry_after ? Date.now() + retry_after * 1000 : undefined;
    this.#think(false);
    if (message && code === "rate_limited" && until) this.#outbox.postpone(message.clientId as string, until);
    else if (message) {
      this.#outbox.remove(message.clientId as string);
      message.status = "failed";
      message.error = { code, detail };
    }
    if (!message || until) this.#update({ notice: { code, detail, until }, handoffAsked: false });
    else this.#update({});
    this.#around.emit("error", { code, detail });
  }

  // Parts

  #hello(): Hello {
    const { visitor, conversation } = this.#around.storage.get();
    const { page, locale: _locale, theme: _theme, lead: _lead, ...attributes } = this.context;
    this.#resuming = !this.#fresh && conversation === this.#shown;
    return {
      type: "hello",
      ...(visitor && { visitor }),
      ...(conversation && { conversation }),
      ...(this.#resuming && { last_seq: this.#sequencer.last }),
      ...(this.identity && { identity: this.identity }),
      page: { url: location.href, title: document.title, referrer: document.referrer, ...page },
      locale: this.#around.locale(),
      ...(Object.keys(attributes).length && { context: attributes as Hello["context"] }),
    };
  }

  #confirm(clientId: string, id: string, seq: number): void {
    this.#outbox.remove(clientId);
    if (this.state.notice?.until) this.#update({ notice: undefined });
    const mine = this.state.messages.find((message) => message.clientId === clientId);
    if (!mine || mine.status === "stored") return;
    if (this.#find(id)) {
      // The history has brought it already.
      this.discard(mine);
      return;
    }
    Object.assign(mine, { id, seq, status: "stored" });
    this.#sort();
  }

  #tell(frame: ClientFrame): void {
    if (this.#connection.ready) this.#connection.send(frame);
    else {
      this.#later.push(frame);
      this.connect();
    }
  }

  #showOwn({ client_id: clientId, text, attachments }: Unsent): void {
    const more: Partial<Message> = { clientId, text, attachments: attachments ?? [], status: "sending" };
    this.#insert(newMessage(clientId, { kind: "visitor" }, Number.POSITIVE_INFINITY, more));
  }

  /** Begin with the files that have not begun; they need a conversation to go to. */
  #upload(): void {
    const { visitor: token, conversation } = this.#around.storage.get();
    if (!this.#connection.ready) return;
    for (const upload of this.state.uploads)
      if (!upload.request && !upload.error)
        send(upload, {
          url: this.address("upload"),
          token,
          conversation,
          failed: this.#around.uploadFailed(),
          changed: () => this.#around.changed(),
        });
  }

  #insert(message: Message): Message {
    this.state.messages.push(message);
    this.#sort();
    return message;
  }

  #sort(): void {
    // Two that wait have no difference (NaN), which leaves them as they are.
    this.#update({ messages: [...this.state.messages].sort((a, b) => a.seq - b.seq) });
  }

  #find(id: string): Message | undefined {
    return this.state.messages.find((message) => message.id === id);
  }

  #arrived(detail: { author: Author; text: string; attachments?: Attachment[] }): void {
    if (!this.#around.visible()) this.#update({ unread: this.state.unread + 1 });
    this.#around.emit("message", detail);
  }

  #think(thinking: boolean): void {
    clearTimeout(this.#thinkingTimer);
    const tooSlow = () => this.#update({ thinking: false, notice: { code: "slow", detail: "" } });
    if (thinking) this.#thinkingTimer = setTimeout(tooSlow, ANSWER_WITHIN_MS);
    if (thinking !== Boolean(this.state.thinking)) this.#update({ thinking });
  }

  /** The answer that is under way. */
  #streaming(): Message | undefined {
    return this.state.messages.find((message) => message.streaming);
  }

  /** Whether the next page should connect by itself: somebody's word is still to come. */
  #remember(): void {
    const { phase, thinking } = this.state;
    const live = phase === "waiting" || phase === "human" || thinking || Boolean(this.#streaming());
    if (live !== Boolean(this.#around.storage.get().live)) this.#around.storage.set({ live });
  }

  #forgetToken(): void {
    if (!this.#around.storage.get().visitor && this.identity) {
      // The signature has expired, or was never good: the page can ask its server for another.
      this.identity = undefined;
      this.#around.emit("error", { code: "identity", detail: "The identity was refused." });
    }
    this.#around.storage.set({ visitor: undefined, conversation: undefined });
    this.#fresh = true;
  }

  #begin(): void {
    const { link } = this.state;
    this.#outbox.clear();
    this.#later = [];
    this.#fresh = true;
    this.#think(false);
    this.#sequencer.reset(0);
    this.state = { ...this.#blank(), link };
  }

  #blank(): ChatState {
    const { name, avatar, greeting, suggestions } = this.#around.config;
    return {
      messages: [],
      phase: "bot",
      link: "idle",
      unread: 0,
      greeting: greeting ?? "",
      suggestions: suggestions ?? [],
      name,
      avatar: avatar ?? undefined,
      seen: 0,
      uploads: [],
    };
  }

  #update(change: Partial<ChatState>): void {
    Object.assign(this.state, change);
    this.#around.changed();
  }
}

function lastPerson(messages: Message[]): Author | undefined {
  return messages.filter((message) => message.author.kind === "human").at(-1)?.author;
}
