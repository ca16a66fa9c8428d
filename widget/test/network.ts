/** A browser's network and clock, in the test's hand. */
import { mock } from "node:test";

export class FakeSocket {
  static all: FakeSocket[] = [];
  static get latest(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
  }

  // What the server does
  accept(): this {
    this.readyState = 1;
    this.onopen?.();
    return this;
  }
  say(frame: Record<string, unknown> | string): this {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
    return this;
  }
  drop(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
  welcome(more: Record<string, unknown> = {}): this {
    return this.accept().say({
      type: "welcome",
      visitor: "token",
      conversation: "c1",
      seq: 0,
      history: [],
      state: "bot",
      ...more,
    });
  }
  ofType(type: string): Record<string, unknown>[] {
    return this.sent.filter((frame) => frame.type === type);
  }
}

class FakeArea {
  values = new Map<string, string>();
  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.values.set(key, value);
  }
  removeItem(key: string): void {
    this.values.delete(key);
  }
}

export const areas = { localStorage: new FakeArea(), sessionStorage: new FakeArea() };

export function installBrowser(): void {
  FakeSocket.all = [];
  areas.localStorage = new FakeArea();
  areas.sessionStorage = new FakeArea();
  const put = (name: string, value: unknown) =>
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  put("WebSocket", FakeSocket);
  put("localStorage", areas.localStorage);
  put("sessionStorage", areas.sessionStorage);
  put("addEventListener", () => {});
  put("removeEventListener", () => {});
  put("navigator", { onLine: true, languages: ["en"] });
  put("location", { href: "https://shop.example/" });
  put("document", {
    hidden: false,
    title: "Shop",
    referrer: "",
    addEventListener() {},
    removeEventListener() {},
  });
}

/** Time stands still until `mock.timers.tick`. */
export function stopTime(): void {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_800_000_000_000 });
}
