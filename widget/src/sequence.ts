import type { ShownFrame } from "./protocol.ts";

/** How long a hole in the numbering may stay before the frames are asked for again, in ms. */
export const GAP_MS = 400;

interface Hooks {
  apply(frame: ShownFrame): void;
  /** Ask the server for everything after `last`. */
  resume(): void;
}

/**
 * Shows frames in the order of their `seq`, each once, whatever order and however often they arrive.
 *
 * A hole is waited for shortly, then asked for once by a resume; when the server still leaves it empty it is
 * accepted, since a conversation that stands still is worse than one that skipped a number.
 */
export class Sequencer {
  last = 0;
  #held: ShownFrame[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #askedAt = -1;

  readonly #hooks: Hooks;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  push(frame: ShownFrame): void {
    if (frame.seq <= this.last || this.#held.some((other) => other.seq === frame.seq)) return;
    this.#held.push(frame);
    this.#held.sort((a, b) => a.seq - b.seq);
    this.#drain();
  }

  /** Start from a state that already contains everything up to `seq`. */
  reset(seq: number): void {
    this.last = seq;
    this.forgetHeld();
  }

  /** The socket is new; what was held comes again. */
  forgetHeld(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#held = [];
  }

  #drain(): void {
    for (let next = this.#held[0]; next?.seq === this.last + 1; next = this.#held[0]) {
      this.#held.shift();
      this.last = next.seq;
      this.#hooks.apply(next);
    }
    if (!this.#held.length) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else this.#timer ??= setTimeout(() => this.#onGap(), GAP_MS);
  }

  #onGap(): void {
    this.#timer = undefined;
    if (this.#askedAt === this.last) {
      // Nothing came: go on behind the hole.
      const first = this.#held[0];
      if (first) this.last = first.seq - 1;
      this.#drain();
      return;
    }
    this.#askedAt = this.last;
    this.forgetHeld();
    this.#hooks.resume();
  }
}
