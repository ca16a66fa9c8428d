import { Announcer } from "./announce.ts";
import { Chat } from "./chat.ts";
import type { AppApi, Config, Context, Start } from "./config.ts";
import { isRtl, localeFor, Translator } from "./i18n.ts";
import type { Identity } from "./protocol.ts";
import { Storage } from "./storage.ts";
import { type Palette, palette } from "./theme.ts";
import { isPhone, lockPage, onViewport } from "./viewport.ts";

/** What the panel shows in place of the message field. */
export type Sheet = "none" | "lead";

export interface Ui {
  /** The text in the message field. */
  draft: string;
  menu: boolean;
  score: number;
  leadErrors: Record<string, string>;
  /** The log follows what is written, because the visitor has not scrolled up. */
  stuck: boolean;
  away: boolean;
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
    menu: false,
    score: 0,
    leadErrors: {},
    stuck: true,
    away: false,
    ownSeen: 0,
  };
  /** The visitor would rather not say who they are before the first message. */
  leadSkipped = false;
  phone = isPhone();
  dark = false;
  /** Called when anything that is displayed has changed. */
  redraw: () => void = () => {};
  readonly #storage: Storage;
  #consented: boolean;
  readonly #undo: (() => void)[] = [];
  #scheduled = false;
  #after: (() => void)[] = [];
  #tick: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly start: Start) {
    this.config = start.config;
    this.#consented = start.options.consent !== "required";
    this.palette = palette(this.config.theme?.colour);
    this.#storage = new Storage(`netvexa:${this.config.agent_id}`, () => this.#consented);
    this.announcer = new Announcer(() => this.find("[aria-live=polite]"));
    this.chat = new Chat({
      config: this.config,
      storage: this.#storage,
      locale: () => this.translator.locale,
      visible: () => this.open_ && !document.hidden,
      changed: () => this.changed(),
      emit: start.emit,
    });
    this.#undo.push(
      onViewport(() => this.#onViewport()),
      this.#followScheme(),
    );
  }

  async prepare(): Promise<void> {
    await this.#loadLocale();
    const { open, live, visitor } = this.#storage.get();
    if (live || (open && visitor)) this.chat.connect();
    // On a phone the panel covers the page, which the visitor has just asked for.
    if (open && !this.phone) this.#show(false);
  }

  get t() {
    return this.translator.t;
  }

  get rtl(): boolean {
    return isRtl(this.translator.locale);
  }

  // The page's calls

  open(): void {
    if (!this.open_) this.#show(true);
  }

  close(): void {
    if (!this.open_) return;
    this.open_ = false;
    this.#storage.set({ open: false });
    lockPage(false);
    const inside = this.start.shadow.activeElement;
    this.#draw();
    if (inside) this.start.bubble.focus();
    this.start.emit("close");
  }

  /** From the bubble it comes with the click, which is when storing may begin. */
  toggle(click?: Event): void {
    if (click) this.#storage.unlock();
    if (this.open_) this.close();
    else this.open();
  }

  ask(text: string): void {
    this.open();
    if (text) this.chat.send(String(text));
  }

  identify(identity: Identity): void {
    const user = fingerprint(String(identity.user_id));
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

  startOver(): void {
    this.chat.startOver();
    this.ui.score = 0;
    this.afterDraw(() => this.focusField());
  }

  setSheet(sheet: Sheet): void {
    this.sheet = sheet;
    this.ui.leadErrors = {};
    if (sheet === "lead") this.afterDraw(() => this.find("input")?.focus());
    else this.afterDraw(() => this.focusField());
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
    this.open_ = true;
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
    const label = this.t(this.open_ ? "close" : "open");
    bubble.ariaExpanded = String(this.open_);
    bubble.ariaLabel = unread && !this.open_ ? `${label} (${this.t("unread", { count: unread })})` : label;
    bubble.dataset.unread = unread && !this.open_ ? String(Math.min(unread, 99)) : "";
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
    query.addEventListener("change", apply);
    this.#applyScheme();
    return () => {
      observer.disconnect();
      query.removeEventListener("change", apply);
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

/** FNV-1a: tells two users apart without keeping who they are. */
function fingerprint(text: string): string {
  let sum = 0x811c9dc5;
  for (const char of text) sum = Math.imul(sum ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return sum.toString(36);
}
