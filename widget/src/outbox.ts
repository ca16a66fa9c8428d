import type { Unsent } from "./kept.ts";
import type { ClientFrame } from "./protocol.ts";
import type { Storage } from "./storage.ts";

/** After how long without an ack a message is sent again, in ms. */
export const ACK_WITHIN_MS = 10_000;

interface Waiting extends Unsent {
  /** When it was last sent, in ms since the epoch. */
  sentAt: number;
  /** The server wants it no sooner. */
  notBefore: number;
}

/**
 * The visitor's messages that no ack has come for, in order. Each is sent again under the same `client_id` until
 * the server acknowledges or refuses it, across reconnects and, within the tab, across pages.
 */
export class Outbox {
  #waiting: Waiting[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #storage: Storage;
  readonly #send: (frame: ClientFrame) => void;

  constructor(storage: Storage, send: (frame: ClientFrame) => void) {
    this.#storage = storage;
    this.#send = send;
    this.#waiting = (storage.session.unsent ?? []).map((unsent) => ({ ...unsent, sentAt: 0, notBefore: 0 }));
  }

  add(unsent: Unsent): void {
    this.#waiting.push({ ...unsent, sentAt: 0, notBefore: 0 });
    this.#keep();
    this.#sendDue();
  }

  remove(clientId: string): void {
    this.#waiting = this.#waiting.filter((unsent) => unsent.client_id !== clientId);
    this.#keep();
  }

  /** The server asked for a pause; what was written after this one waits behind it. */
  postpone(clientId: string, until: number): void {
    for (const unsent of this.#waiting)
      if (unsent.client_id === clientId) Object.assign(unsent, { sentAt: 0, notBefore: until });
    this.#schedule();
  }

  /** A new connection stands: whatever the old one carried may be lost, so send it again. */
  flush(): void {
    for (const unsent of this.#waiting) unsent.sentAt = 0;
    this.#sendDue();
  }

  clear(): void {
    this.#waiting = [];
    this.#keep();
    clearTimeout(this.#timer);
  }

  #sendDue(): void {
    const now = Date.now();
    for (const unsent of this.#waiting) {
      if (unsent.notBefore > now) break;
      if (now - unsent.sentAt < ACK_WITHIN_MS) continue;
      unsent.sentAt = now;
      const { client_id, text, attachments } = unsent;
      const ids = attachments?.map(({ id }) => id);
      this.#send({ type: "message", client_id, text, ...(ids?.length && { attachments: ids }) });
    }
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const times = this.#waiting.map((unsent) => Math.max(unsent.sentAt + ACK_WITHIN_MS, unsent.notBefore));
    if (!times.length) return;
    this.#timer = setTimeout(() => this.#sendDue(), Math.max(50, Math.min(...times) - Date.now()));
  }

  #keep(): void {
    this.#storage.setSession({ unsent: this.#waiting });
  }
}
