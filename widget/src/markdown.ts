/**
 * Markdown to DOM nodes, for texts that a model wrote and nobody has checked.
 *
 * Nodes are made with `createElement` from the list `Tag`, and of text nodes; the only attribute that takes anything
 * from the text is a link's address, which `safeUrl` has passed, and a list's first number. There is no image (its
 * address alone could carry what the model knows to somebody), no raw HTML, and nothing that the page would run.
 * The result depends on the text alone, never on the pieces in which it arrived.
 */

type Tag =
  | "a"
  | "blockquote"
  | "br"
  | "code"
  | "div"
  | "em"
  | "h3"
  | "h4"
  | "hr"
  | "li"
  | "ol"
  | "p"
  | "pre"
  | "s"
  | "strong"
  | "table"
  | "td"
  | "th"
  | "tr"
  | "ul";

export interface Options {
  /** Makes the chip of the citation mark `[n]`. */
  chip(n: number): Node;
  /** More is to come: an emphasis that has begun is shown as one. */
  open?: boolean;
}

/** Lists and quotations nested deeper than this are shown as plain text. */
const DEEPEST = 8;

const ITEM = /^(\s*)(?:([-*+])|(\d{1,4})[.)])\s+(?=\S)/;
const FENCE = /^ {0,3}(```+|~~~+)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const TABLE_LINE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const STARTS_BLOCK = [ITEM, FENCE, HEADING, RULE, QUOTE];

/** An address that may stand in a link: absolute, and of a scheme that runs nothing. */
export function safeUrl(address: string): string | null {
  try {
    const url = new URL(address.trim());
    return /^(https?|mailto):$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function element(tag: Tag, ...children: (Node | string)[]): HTMLElement {
  const node = document.createElement(tag);
  if (/^(p|li|t[dh]|h\d)$/.test(tag)) node.dir = "auto";
  node.append(...children);
  return node;
}

function anchor(address: string, children: (Node | string)[]): Node | string {
  const url = safeUrl(address);
  const node = element("a", ...children);
  if (!url) return node.textContent ?? "";
  node.setAttribute("href", url);
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow ugc");
  return node;
}

/** A box that scrolls by itself, so that nothing wide pushes the panel apart. */
function scroller(node: HTMLElement): HTMLElement {
  node.tabIndex = 0;
  return node;
}

/** Shows a text that grows, and changes only the blocks that differ from what is there. */
export class MarkdownView {
  #blocks: string[] = [];
  #nodes: Node[][] = [];

  readonly #target: HTMLElement;

  constructor(target: HTMLElement) {
    this.#target = target;
  }

  show(text: string, options: Options): void {
    const blocks = splitBlocks(text);
    let same = 0;
    // The last block may have been shown as unfinished.
    while (same < blocks.length - 1 && same < this.#blocks.length - 1 && blocks[same] === this.#blocks[same])
      same++;
    for (const nodes of this.#nodes.splice(same)) for (const node of nodes) (node as ChildNode).remove();
    for (const [at, block] of blocks.slice(same).entries()) {
      const last = same + at === blocks.length - 1;
      const nodes = renderBlock(block, { ...options, open: options.open && last }, 0);
      this.#nodes.push(nodes);
      this.#target.append(...nodes);
    }
    this.#blocks = blocks;
  }
}

/** The blocks of a text as they stand in it: a paragraph, a whole list, a fence, … */
export function splitBlocks(text: string): string[] {
  const blocks: string[][] = [];
  let fence = "";
  let blank = true;
  for (const line of text.split(/\r?\n/)) {
    const current = blocks[blocks.length - 1];
    if (fence && current) {
      current.push(line);
      if (line.trim().startsWith(fence) && !line.trim().replace(/[`~]/g, "")) fence = "";
      blank = !fence;
    } else if (!line.trim()) {
      if (current && ITEM.test(current[0] ?? "")) current.push("");
      blank = true;
    } else {
      if (current && continues(current, line, blank)) current.push(line);
      else blocks.push([...headOfTable(current, line, blank), line]);
      fence = FENCE.exec(line)?.[1] ?? "";
      // A fence inside a list item ends with the item's block; only one of its own swallows what follows.
      if (fence && blocks[blocks.length - 1]?.length !== 1) fence = "";
      blank = HEADING.test(line) || RULE.test(line);
    }
  }
  return blocks.map((lines) => lines.join("\n").trimEnd());
}

function continues(block: string[], line: string, blank: boolean): boolean {
  const first = block[0] ?? "";
  const starts = STARTS_BLOCK.some((mark) => mark.test(line));
  if (RULE.test(line)) return false;
  if (ITEM.test(first)) return ITEM.test(line) || /^ {2}|^\t/.test(line) || (!blank && !starts);
  if (blank) return false;
  if (QUOTE.test(first)) return QUOTE.test(line) || !starts;
  const tableBegins = TABLE_LINE.test(line) && line.includes("|") && block.length > 1;
  return !starts && !tableBegins;
}

/** A table's first row, when the line before was taken for the end of a paragraph. */
function headOfTable(block: string[] | undefined, line: string, blank: boolean): string[] {
  const isTable = block && block.length > 1 && !blank && TABLE_LINE.test(line) && line.includes("|");
  return isTable ? block.splice(-1) : [];
}

function renderBlocks(text: string, options: Options, depth: number): Node[] {
  return splitBlocks(text).flatMap((block) => renderBlock(block, options, depth));
}

function renderBlock(block: string, options: Options, depth: number): Node[] {
  const lines = block.split("\n");
  const first = lines[0] ?? "";
  const heading = HEADING.exec(first);
  if (depth > DEEPEST) return [element("p", block)];
  if (heading)
    return [element((heading[1]?.length ?? 1) > 2 ? "h4" : "h3", ...inline(heading[2] ?? "", options))];
  if (RULE.test(first)) return [element("hr")];
  if (FENCE.test(first)) return [renderCode(lines)];
  if (QUOTE.test(first)) {
    const inner = lines.map((line) => line.replace(QUOTE, "")).join("\n");
    return [element("blockquote", ...renderBlocks(inner, options, depth + 1))];
  }
  if (ITEM.test(first)) return renderList(lines, options, depth);
  if (lines.length > 1 && first.includes("|") && TABLE_LINE.test(lines[1] ?? ""))
    return [renderTable(lines, options)];
  return [element("p", ...inline(block, options))];
}

function renderCode(lines: string[]): Node {
  const closed = lines.length > 1 && FENCE.test(lines[lines.length - 1] ?? "");
  const code = scroller(element("pre", lines.slice(1, closed ? -1 : undefined).join("\n")));
  code.dir = "ltr";
  return code;
}

/** One list, or several where bullets and numbers take turns. */
function renderList(lines: string[], options: Options, depth: number): Node[] {
  const base = ITEM.exec(lines[0] ?? "")?.[1]?.length ?? 0;
  const lists: HTMLElement[] = [];
  let content: string[] = [];
  let width = 0;
  const finish = () => {
    if (!width) return;
    const item = element("li");
    const nodes = renderBlocks(content.join("\n").trimEnd(), options, depth + 1);
    for (const node of nodes)
      item.append(...(node.nodeName === "P" && nodes.length === 1 ? node.childNodes : [node]));
    lists[lists.length - 1]?.append(item);
  };
  for (const line of lines) {
    const found = ITEM.exec(line);
    if (found && (found[1]?.length ?? 0) < base + 2) {
      finish();
      const number = found[3];
      const tag = number ? "ol" : "ul";
      if (lists[lists.length - 1]?.localName !== tag) {
        const list = element(tag);
        if (number && number !== "1") list.setAttribute("start", String(Number(number)));
        lists.push(list);
      }
      width = found[0].length;
      content = [line.slice(width)];
    } else content.push(line.replace(new RegExp(`^\\s{0,${width}}`), ""));
  }
  finish();
  return lists;
}

function renderTable(lines: string[], options: Options): Node {
  const rows = [lines[0] ?? "", ...lines.slice(2)].map((line, row) => {
    const cells = line
      .trim()
      .replace(/^\||\|$/g, "")
      .split("|");
    return element("tr", ...cells.map((cell) => element(row ? "td" : "th", ...inline(cell.trim(), options))));
  });
  const box = scroller(element("div", element("table", ...rows)));
  box.className = "scroll";
  return box;
}

// Inside a line

type Inline = (Node | string)[];

const EMPHASIS: Record<string, Tag> = { "*": "em", _: "em", "**": "strong", __: "strong", "~~": "s" };
const WORD = /[\p{L}\p{N}]/u;

const CODE = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/y;
const LINK =
  /!?\[((?:[^[\]]|\[[^[\]]*\])*)\]\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+["'(][^\n]*?["')])?\s*\)/y;
const CITATION = /\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/y;
const ADDRESS = /(<?)(https?:\/\/[^\s<>"'`[\]]+)(>?)/y;
const BREAK = /<br\s*\/?>|\n/y;
const MAIL_END = /@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}/y;
const MAIL_START = /[\w.+-]{1,64}$/;

interface Frame {
  mark: string;
  nodes: Inline;
}

/** Emphasis, code, links, citation marks. What is not recognised stands as it was written. */
export function inline(text: string, options: Options): Inline {
  return new InlineReader(text, options).read();
}

class InlineReader {
  #at = 0;
  #plain = "";
  /** Emphasis that has begun, outermost first; the first frame is the text itself. */
  readonly #stack: Frame[] = [{ mark: "", nodes: [] }];

  readonly #text: string;
  readonly #options: Options;

  constructor(text: string, options: Options) {
    this.#text = text;
    this.#options = options;
  }

  read(): Inline {
    while (this.#at < this.#text.length) this.#step(this.#text[this.#at] as string);
    this.#put(0);
    while (this.#stack.length > 1) this.#close(this.#stack.length - 1, this.#options.open === true);
    return this.#stack[0]?.nodes ?? [];
  }

  #step(char: string): void {
    if (char === "\\" && this.#escape()) return;
    if (char === "`" && this.#code()) return;
    if ((char === "[" || char === "!") && (this.#link() || this.#citation())) return;
    if ((char === "<" || char === "\n") && this.#break()) return;
    if ((char === "<" || char === "h") && this.#address()) return;
    if (char === "@" && this.#mail()) return;
    if (/[*_~]/.test(char) && this.#emphasis(char)) return;
    this.#plain += char;
    this.#at += 1;
  }

  #escape(): boolean {
    const next = this.#text[this.#at + 1] ?? "";
    if (!/[!-/:-@[-`{-~]/.test(next)) return false;
    this.#plain += next;
    this.#at += 2;
    return true;
  }

  #code(): boolean {
    const found = this.#match(CODE);
    return found !== null && this.#put(found[0].length, element("code", found[2] ?? ""));
  }

  /** A picture becomes a link to it: the visitor decides whether it is fetched. */
  #link(): boolean {
    const found = this.#match(LINK);
    if (!found) return false;
    const [whole, words = "", address = ""] = found;
    const label = words ? inline(words, { ...this.#options, open: false }) : [address];
    return this.#put(whole.length, anchor(address, label));
  }

  #citation(): boolean {
    const found = this.#match(CITATION);
    const numbers = found?.[1]?.split(",") ?? [];
    return found !== null && this.#put(found[0].length, ...numbers.map((n) => this.#options.chip(Number(n))));
  }

  #break(): boolean {
    const found = this.#match(BREAK);
    return found !== null && this.#put(found[0].length, element("br"));
  }

  #address(): boolean {
    const found = WORD.test(this.#text[this.#at - 1] ?? "") ? null : this.#match(ADDRESS);
    if (!found) return false;
    const url = trimUrl(found[2] ?? "");
    const bracketed = found[1] && found[3];
    return this.#put(bracketed ? found[0].length : (found[1] ?? "").length + url.length, anchor(url, [url]));
  }

  #mail(): boolean {
    const found = this.#match(MAIL_END);
    const name = MAIL_START.exec(this.#plain)?.[0];
    if (!found || !name) return false;
    this.#plain = this.#plain.slice(0, -name.length);
    return this.#put(found[0].length, anchor(`mailto:${name}${found[0]}`, [name + found[0]]));
  }

  #emphasis(char: string): boolean {
    const mark = this.#markAt(char);
    if (mark === "~") return false;
    const [before, after] = [this.#text[this.#at - 1] ?? "", this.#text[this.#at + mark.length] ?? ""];
    const begun = this.#stack.findIndex((frame) => frame.mark === mark);
    const word = char === "_" || mark === "*";
    this.#put(mark.length);
    // snake_case and 2*3 are words, not emphasis.
    if (begun > 0 && before.trim() && !(char === "_" && WORD.test(after))) this.#close(begun, true);
    else if (after.trim() && !(word && WORD.test(before))) this.#stack.push({ mark, nodes: [] });
    else this.#plain += mark;
    return true;
  }

  /** `**` or `*` where several stand together: the one that ends the innermost emphasis first. */
  #markAt(char: string): string {
    const twice = char + char;
    if (!this.#text.startsWith(twice, this.#at)) return char;
    const thrice = this.#text.startsWith(twice + char, this.#at);
    const single = this.#top.mark === char && (thrice || !this.#stack.some((frame) => frame.mark === twice));
    return single ? char : twice;
  }

  /** End the emphasis at `from`; what was begun inside it and never ended is put back as written. */
  #close(from: number, ended: boolean): void {
    for (const { mark, nodes } of this.#stack.splice(from + 1)) this.#top.nodes.push(mark, ...nodes);
    const { mark, nodes } = this.#stack.pop() as Frame;
    const tag = EMPHASIS[mark];
    this.#top.nodes.push(...(ended && tag && nodes.length ? [element(tag, ...nodes)] : [mark, ...nodes]));
  }

  get #top(): Frame {
    return this.#stack[this.#stack.length - 1] as Frame;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text);
  }

  #put(length: number, ...nodes: Inline): true {
    if (this.#plain) this.#top.nodes.push(this.#plain);
    this.#plain = "";
    this.#top.nodes.push(...nodes);
    this.#at += length;
    return true;
  }
}

/** A bare address without the punctuation of the sentence around it. */
function trimUrl(url: string): string {
  const trimmed = url.replace(/[.,;:!?*_~]+$/, "");
  const unbalanced = trimmed.endsWith(")") && trimmed.split("(").length < trimmed.split(")").length;
  return unbalanced ? trimUrl(trimmed.slice(0, -1)) : trimmed;
}
