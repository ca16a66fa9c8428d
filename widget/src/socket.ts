import { type ClientFrame, Close, type Hello, parseFrame, type ServerFrame } from "./protocol.ts";

/** Where the connection stands. `refused` is final: this page or this agent may not talk. */
export type Link = "idle" | "connecting" | "online" | "offline" | "refused";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const TOO_MANY_DELAY_MS = 15_000;
const RESTART_SPREAD_MS = 2_000;
const PING_EVERY_MS = 25_000;
const PONG_WITHIN_MS = 10_000;
const HANDSHAKE_MS = 15_000;

interface Hooks {
  hello(): Hello;
  frame(frame: ServerFrame): void;
  /** Whether frames are to come: a silence then may mean that they were lost. */
  expects(): boolean;
  link(link: Link): void;
  /** The visitor's token was refused: forget it before the next hello. */
  tokenRefused(): void;
}

/** A close by the server: whether to come back and after how long, in ms. */
export function afterClose(code: number, attempt: number, random: () => number): number | null {
  if (code === Close.originRefused || code === Close.noAgent) return null;
  if (code === Close.restarting) return random() * RESTART_SPREAD_MS;
  if (code === Close.badToken && attempt < 2) return 0;
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  const jittered = longest * (0.5 + random() / 2);
  return code === Close.tooMany ? Math.max(TOO_MANY_DELAY_MS, jittered) : jittered;
}

/** One WebSocket that comes back: hello on opening, heartbeat, and a delay that grows with each failure. */
export class Connection {
  link: Link = "idle";
  #socket: WebSocket | undefined;
  #attempt = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #beatTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #gone = new AbortController();

  readonly #url: string;
  readonly #hooks: Hooks;

  constructor(url: string, hooks: Hooks) {
    this.#url = url;
    this.#hooks = hooks;
    for (const name of ["online", "offline", "pageshow", "visibilitychange"])
      addEventListener(name, () => this.#networkChanged(), { signal: this.#gone.signal });
  }

  /** Connect unless a connection stands or is on its way. */
  open(): void {
    if (this.#socket || this.link === "refused") return;
    clearTimeout(this.#retryTimer);
    this.#setLink(this.#attempt ? "offline" : "connecting");
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    const mine = (act: () => void) => () => this.#socket === socket && act();
    socket.onopen = mine(() => this.send(this.#hooks.hello()));
    socket.onmessage = (event) => this.#socket === socket && this.#onText(event.data);
    socket.onclose = (event) => this.#socket === socket && this.#onClose(event.code);
    this.#beatTimer = setTimeout(
      mine(() => this.#abandon()),
      HANDSHAKE_MS,
    );
  }

  /** True once the server has said `welcome`. */
  get ready(): boolean {
    return this.link === "online";
  }

  send(frame: ClientFrame): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  /** Drop this socket and say hello on a new one at once. */
  restart(): void {
    this.#detach();
    this.#attempt = 0;
    this.open();
  }

  close(): void {
    this.#detach();
    clearTimeout(this.#retryTimer);
    this.#attempt = 0;
    this.#setLink("idle");
  }

  destroy(): void {
    this.close();
    this.#gone.abort();
  }

  #onText(text: string): void {
    const frame = parseFrame(text);
    this.#beat();
    if (!frame) return;
    if (frame.type === "welcome") {
      this.#attempt = 0;
      // Before the frame is handed on, so that what waits to be sent finds an open door.
      this.link = "online";
    }
    this.#hooks.frame(frame);
    if (frame.type === "welcome") this.#hooks.link("online");
  }

  #onClose(code: number): void {
    this.#detach();
    if (code === Close.badToken) this.#hooks.tokenRefused();
    const delay = afterClose(code, this.#attempt, Math.random);
    if (delay === null) {
      this.#setLink("refused");
      return;
    }
    this.#attempt += 1;
    this.#setLink("offline");
    this.#retryTimer = setTimeout(() => this.open(), delay);
  }

  /** Give up a socket that no longer answers, without waiting for its close handshake. */
  #abandon(): void {
    this.#socket?.close();
    this.#onClose(4000);
  }

  #detach(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    clearTimeout(this.#beatTimer);
    socket?.close();
  }

  /** Any frame proves that the line stands; after a silence ask, or resume, and after a longer one let go. */
  #beat(wait = PING_EVERY_MS): void {
    clearTimeout(this.#beatTimer);
    this.#beatTimer = setTimeout(() => {
      if (wait && this.#hooks.expects()) return this.restart();
      this.send({ type: "ping" });
      this.#beatTimer = setTimeout(() => this.#abandon(), PONG_WITHIN_MS);
    }, wait);
  }

  #networkChanged(): void {
    if (this.link === "idle" || this.link === "refused" || document.hidden) return;
    if (!this.#socket) {
      // The network or the visitor is back: no reason to sit out the delay.
      if (navigator.onLine !== false) this.open();
    } else if (this.ready) this.#beat(0);
  }

  #setLink(link: Link): void {
    if (this.link === link) return;
    this.link = link;
    this.#hooks.link(link);
  }
}
