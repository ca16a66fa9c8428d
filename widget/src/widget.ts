import { Announcer } from "./announce.ts";
import { Chat } from "./chat.ts";
import type { AppApi, Config, Context, Proactive, Start } from "./config.ts";
import { type Presence, presence } from "./hours.ts";
import { isRtl, localeFor, Translator } from "./i18n.ts";
import { watch } from "./proactive.ts";
import type { ClientFrame, Identity } from "./protocol.ts";
import { chime } from "./sound.ts";
import { Storage } from "./storage.ts";
import { type Palette, palette } from "./theme.ts";
import { isPhone, lockPage, onViewport } from "./viewport.ts";

/** What the panel shows in place of the message field. */
export type Sheet = "none" | "lead" | "past" | "transcript" | "data";

export interface Ui {
  /** The text in the message field. */
  draft: string;
  menu?: boolean;
  /** Files are held over the panel. */
  drop?: boolean;
  /** The visitor has asked once to have their data deleted. */
  sure?: boolean;
  score: number;
  leadErrors: Record<string, string>;
  /** The log follows what is written, because the visitor has not scrolled up. */
  stuck: boolean;
  away?: boolean;
  /** How many messages of the visitor's own were there at the last drawing. */
  ownSeen: number;
}

/** The widget's own state around the conversation: open or not, language, theme, and the page's calls. */
export class Widget implements AppApi {
  readonly chat: Chat;
  readonly translator = new Translator();
  readonly announcer: Announcer;
  readonly palette: Palette;
  readonly config: Config;
  open_ = false;
  sheet: Sheet = "none";
  /** What the views remember between two drawings. */
  readonly ui: Ui = {
    draft: "",
    score: 0,
    leadErrors: {},
    stuck: true,
    ownSeen: 0,
  };
  /** The visitor would rather not say who they are before the first message. */
  leadSkipped = false;
  /** A word to the visitor that stands beside the bubble. */
  teaser: Proactive | undefined;
  phone = isPhone();
  dark = false;
  /** Called when anything that is displayed has changed. */
  redraw: () => void = () => {};
  readonly #storage: Storage;
  #consented: boolean;
  readonly #undo: (() => void)[] = [];
  #scheduled = false;
  #present: Presence = { there: true };
  #presentAt = 0;
  /** What on the page had the focus when the panel opened. */
  #opener: HTMLElement | null = null;
  #after: (() => void)[] = [];
  #tick: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly start: Start) {
    const { config } = start;
    const key = `netvexa:${config.agent_id}`;
    this.config = config;
    this.#consented = start.options.consent !== "required";
    this.palette = palette(config.theme?.colour);
    this.#storage = new Storage(key, () => this.#consented);
    this.announcer = new Announcer(() => this.find("[aria-live=polite]"));
    this.chat = new Chat({
      config,
      storage: this.#storage,
      locale: () => this.translator.locale,
      visible: () => this.open_ && !document.hidden,
      changed: () => this.changed(),
      uploadFailed: () => this.t("failed"),
      emit: (name, detail) => {
        if (name === "message" && this.sound) chime();
        start.emit(name, detail);
      },
    });
    this.#undo.push(
      onViewport(() => this.#onViewport()),
      this.#followScheme(),
      listen(window, "storage", (event) => this.#onOtherTab(event as StorageEvent, key)),
      // What came while the page was hidden is seen now.
      listen(document, "visibilitychange", () => this.changed()),
    );
  }

  async prepare(): Promise<void> {
    await this.#loadLocale();
    const { open, live, visitor } = this.#storage.get();
    if (live || (open && visitor)) this.chat.connect();
    // On a phone the panel covers the page, which the visitor has just asked for.
    if (open && !this.phone) this.#show(false);
    const { proactive, hours } = this.config;
    if (hours) {
      const minute = setInterval(() => this.changed(), 60_000);
      this.#undo.push(() => clearInterval(minute));
    }
    if (proactive?.length) this.#undo.push(watch(proactive, this.#proactive()));
  }

  #proactive(): Parameters<typeof watch>[1] {
    return {
      last: ({ id, frequency }) =>
        (frequency === "session" ? this.#storage.session : this.#storage.get()).shown?.[id] ?? 0,
      free: () =>
        !this.open_ && !this.teaser && !this.chat.state.messages.length && !this.start.bubble.hidden,
      show: (message) => {
        this.teaser = message;
        const shown = (kept: { shown?: Record<string, number> }) => ({
          shown: { ...kept.shown, [message.id]: Date.now() },
        });
        this.#storage.setSession(shown(this.#storage.session));
        this.#storage.set(shown(this.#storage.get()));
        this.changed();
      },
    };
  }

  #onOtherTab({ key, newValue }: StorageEvent, mine: string): void {
    if (key !== mine) return;
    this.#storage.follow(newValue);
    if (!newValue) {
      this.close();
      this.chat.forget();
    }
  }

  get t() {
    return this.translator.t;
  }

  get rtl(): boolean {
    return isRtl(this.translator.locale);
  }

  // The page's calls

  open(click?: Event): void {
    if (click) this.#storage.unlock();
    if (!this.open_) this.#show(true);
  }

  close(): void {
    if (!this.open_) return;
    this.open_ = false;
    this.#storage.set({ open: false });
    lockPage(false);
    const { shadow, bubble, host } = this.start;
    const inside = shadow.activeElement;
    this.#draw();
    if (inside) (this.#opener === host || !this.#opener?.isConnected ? bubble : this.#opener).focus();
    this.start.emit("close");
  }

  /** From the bubble it comes with the click, which is when storing may begin. */
  toggle(click?: Event): void {
    if (this.open_) this.close();
    else this.open(click);
  }

  ask(text: string): void {
    this.open();
    if (text) this.chat.send(String(text));
  }

  identify(identity: Identity): void {
    const user = fingerprint(String(identity.user_id ?? subject(identity.token)));
    const kept = this.#storage.get().user;
    // Another person at the same browser must not see what the one before has written.
    if (kept && kept !== user) this.chat.forget();
    this.chat.identity = identity;
    this.#storage.set({ user });
    this.chat.reintroduce();
    if (this.open_) this.chat.connect();
  }

  logout(): void {
    this.close();
    this.chat.forget();
  }

  setContext(context: Context): void {
    this.chat.context = { ...this.chat.context, ...context };
    if (context.locale) void this.#loadLocale().then(() => this.changed());
    if (context.theme) this.#applyScheme();
  }

  consent(granted = true): void {
    this.#consented = granted;
    if (granted) this.#storage.set({});
    else this.#storage.forget();
  }

  destroy(): void {
    lockPage(false);
    for (const undo of this.#undo) undo();
    this.redraw = () => {};
    clearTimeout(this.#tick);
    this.chat.destroy();
  }

  // What the views call

  /** Whether the team is there, as of the last half minute; always, where no hours are told. */
  get presence(): Presence {
    const { hours } = this.config;
    const now = Date.now();
    if (hours && now - this.#presentAt > 30_000) {
      this.#presentAt = now;
      this.#present = presence(hours, now);
    }
    return this.#present;
  }

  /** Nobody is there, and the agent is not to answer alone. */
  get formOnly(): boolean {
    return this.config.hours?.behaviour === "form" && !this.presence.there;
  }

  get sound(): boolean {
    return Boolean(this.config.sound && this.#storage.get().sound);
  }

  switchSound(): void {
    this.#storage.set({ sound: !this.sound });
    if (this.sound) chime();
  }

  get visitor(): string | undefined {
    return this.#storage.get().visitor;
  }

  get conversation(): string | undefined {
    return this.#storage.get().conversation;
  }

  /** The teaser was touched: go on with what it says, or put it away. */
  answerTeaser(open: boolean): void {
    const { teaser } = this;
    this.teaser = undefined;
    this.#storage.unlock();
    if (open && teaser) {
      this.chat.greet(teaser.text);
      this.open();
    } else this.afterDraw(() => this.start.bubble.focus());
  }

  /** The visitor writes: an act of theirs, after which storing may begin. */
  say(text: string): void {
    this.#storage.unlock();
    this.chat.send(text);
  }

  /** Contact details are asked for ahead of the first message. */
  leadFirst(): boolean {
    const { messages, leadGiven } = this.chat.state;
    return this.config.leads?.when === "before" && !messages.length && !leadGiven && !this.leadSkipped;
  }

  giveLead(fields: Record<string, string>): void {
    this.#storage.unlock();
    this.chat.lead(fields);
    this.announcer.say(this.t("lead_done"));
  }

  startOver(conversation?: string): void {
    this.chat.startOver(conversation);
    this.ui.score = 0;
    this.setSheet("none");
  }

  /** Change what stands at the bottom, and say to the server what it needs for it. */
  setSheet(sheet: Sheet, frame?: ClientFrame): void {
    this.sheet = sheet;
    this.ui.leadErrors = {};
    this.ui.sure = false;
    if (frame) this.chat.request(frame);
    this.afterDraw(() => {
      if (sheet === "none") this.focusField();
      else (this.find(".sheet input") ?? this.find(".sheet"))?.focus();
    });
  }

  /** Do something with what the next drawing makes, such as moving the focus into it. */
  afterDraw(act: () => void): void {
    this.#after.push(act);
    this.changed();
  }

  find(selector: string): HTMLElement | null {
    return this.start.shadow.querySelector(`.panel ${selector}`);
  }

  changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #show(byVisitor: boolean): void {
    const { activeElement, body } = document;
    this.#opener = activeElement === body ? this.start.host : (activeElement as HTMLElement | null);
    this.open_ = true;
    this.teaser = undefined;
    if (byVisitor && navigator.userActivation?.isActive) this.#storage.unlock();
    this.#storage.set({ open: true });
    lockPage(this.phone);
    this.chat.connect();
    this.chat.markRead();
    this.#draw();
    if (byVisitor) this.focusField();
    this.start.emit("open");
  }

  /** The field on a desk; on a phone the panel, since the keyboard would cover the greeting. */
  focusField(): void {
    const panel = this.start.shadow.querySelector<HTMLElement>(".panel");
    (this.phone ? panel : (this.find("textarea, input") ?? panel))?.focus();
  }

  #draw(): void {
    const { bubble } = this.start;
    const { unread } = this.chat.state;
    const { launcher, launcher_text } = this.config.theme ?? {};
    const away = this.config.hours?.behaviour === "hide" && !this.presence.there;
    bubble.hidden = launcher === "hidden" || (away && !this.open_);
    const label = this.t(this.open_ ? "close" : "open");
    const name = launcher === "text" && launcher_text && !this.open_ ? launcher_text : label;
    bubble.ariaExpanded = String(this.open_);
    bubble.ariaLabel = unread && !this.open_ ? `${name} (${this.t("unread", { count: unread })})` : name;
    if (unread && !this.open_) bubble.dataset.unread = String(Math.min(unread, 99));
    else delete bubble.dataset.unread;
    if (this.open_ && unread && !document.hidden) this.chat.markRead();
    this.redraw();
    for (const act of this.#after.splice(0)) act();
    this.#countDown();
  }

  /** While a pause that the server asked for runs, its seconds are shown. */
  #countDown(): void {
    clearTimeout(this.#tick);
    const until = this.chat.state.notice?.until ?? 0;
    if (until > Date.now()) this.#tick = setTimeout(() => this.changed(), 500);
  }

  async #loadLocale(): Promise<void> {
    const wish = (this.chat.context.locale as string | undefined) ?? this.start.options.locale;
    await this.translator.load(localeFor(wish), this.start.files, this.config.strings);
  }

  #onViewport(): void {
    const phone = isPhone();
    if (phone !== this.phone) {
      this.phone = phone;
      lockPage(phone && this.open_);
    }
    this.changed();
  }

  /** Dark by the system, by the script tag, or by the page's own `data-theme`. */
  #followScheme(): () => void {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const apply = () => this.#applyScheme();
    const observer = new MutationObserver(apply);
    observer.observe(document.documentElement, { attributeFilter: ["data-theme", "class"] });
    const leave = listen(query, "change", apply);
    this.#applyScheme();
    return () => {
      observer.disconnect();
      leave();
    };
  }

  #applyScheme(): void {
    const asked = this.chat.context.theme ?? this.start.options.theme ?? this.config.theme?.scheme ?? "auto";
    const root = document.documentElement;
    const wish =
      asked === "host" ? (root.dataset.theme ?? (root.classList.contains("dark") ? "dark" : "auto")) : asked;
    const system = matchMedia("(prefers-color-scheme: dark)").matches;
    this.dark = wish === "dark" || (wish !== "light" && system);
    this.changed();
  }
}

function listen(target: EventTarget, name: string, act: (event: Event) => void): () => void {
  target.addEventListener(name, act);
  return () => target.removeEventListener(name, act);
}

/** Whom a JWT speaks of. Whether it is true is for the server to find out. */
function subject(token = ""): unknown {
  try {
    return JSON.parse(atob((token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/"))).sub;
  } catch {}
}

/** FNV-1a: tells two users apart without keeping who they are. */
function fingerprint(text: string): string {
  let sum = 0x811c9dc5;
  for (const char of text) sum = Math.imul(sum ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return sum.toString(36);
}
