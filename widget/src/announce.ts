/** The whole sentences at the start of a text, as one length: what can be read out while the rest is written. */
export function finishedSentences(text: string): number {
  let end = 0;
  for (const found of text.matchAll(/[.!?:…]["'”»)\]\d]*(?=\s)|[。！？؟]|\n/g))
    end = (found.index ?? 0) + found[0].length;
  return end;
}

/**
 * Tells a screen reader what was written, in whole sentences.
 *
 * The messages themselves are no live region: read token by token they flood the listener. What is added here is
 * read once, politely, as plain text.
 */
export class Announcer {
  readonly #said = new Map<string, number>();

  readonly #region: () => HTMLElement | null;

  constructor(region: () => HTMLElement | null) {
    this.#region = region;
  }

  /** An answer so far, as displayed; with `whole`, its last words too. */
  progress(id: string, text: string, whole: boolean): void {
    const from = this.#said.get(id) ?? 0;
    if (from >= text.length) return;
    const upTo = whole ? text.length : from + finishedSentences(text.slice(from));
    if (upTo <= from) return;
    this.#said.set(id, upTo);
    this.say(text.slice(from, upTo));
  }

  /** Everything up to here is known already: it comes from the history. */
  skip(id: string, text: string): void {
    this.#said.set(id, text.length);
  }

  say(text: string): void {
    const region = this.#region();
    if (!region || !text.trim()) return;
    const line = region.ownerDocument.createElement("p");
    line.textContent = text.trim();
    region.append(line);
    while (region.childElementCount > 8) region.firstElementChild?.remove();
  }
}
