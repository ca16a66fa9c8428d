import type { Kept, Session } from "./kept.ts";

/**
 * What is kept in the visitor's browser, and when.
 *
 * Nothing is written before `unlock()`, which the first click calls (and, where the page asks for consent, only
 * once it has been given). A browser that refuses storage (sandboxed frame, private mode) keeps it in memory.
 */
export class Storage {
  #unlocked = false;
  #kept: Kept;
  #session: Session;

  readonly #key: string;
  readonly #allowed: () => boolean;

  constructor(key: string, allowed: () => boolean) {
    this.#key = key;
    this.#allowed = allowed;
    const kept = read<Kept>("localStorage", key);
    this.#session = read<Session>("sessionStorage", key) ?? {};
    this.#kept = kept ?? {};
    this.#unlocked = kept !== null;
  }

  get(): Readonly<Kept> {
    return this.#kept;
  }

  set(change: Kept): void {
    Object.assign(this.#kept, change);
    this.#write();
  }

  /** Another tab has kept something; null when it has forgotten the visitor. */
  follow(text: string | null): void {
    this.#kept = JSON.parse(text ?? "{}");
  }

  get session(): Readonly<Session> {
    return this.#session;
  }

  setSession(change: Session): void {
    Object.assign(this.#session, change);
    this.#write();
  }

  unlock(): void {
    this.#unlocked = true;
    this.#write();
  }

  /** Leave no trace; nothing is written until the next `unlock()`. */
  forget(): void {
    this.#kept = {};
    this.#session = {};
    this.#unlocked = false;
    write("localStorage", this.#key, null);
    write("sessionStorage", this.#key, null);
  }

  #write(): void {
    if (!this.#unlocked || !this.#allowed()) return;
    const { unsent, shown } = this.#session;
    write("localStorage", this.#key, this.#kept);
    write("sessionStorage", this.#key, unsent?.length || shown ? this.#session : null);
  }
}

type Area = "localStorage" | "sessionStorage";

function read<T>(area: Area, key: string): T | null {
  try {
    return JSON.parse(globalThis[area].getItem(key) ?? "null");
  } catch {
    return null;
  }
}

function write(area: Area, key: string, value: unknown): void {
  try {
    if (value === null) globalThis[area].removeItem(key);
    else globalThis[area].setItem(key, JSON.stringify(value));
  } catch {
    // Storage is off or full; the copy in memory serves this page.
  }
}
