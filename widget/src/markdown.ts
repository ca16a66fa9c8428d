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
    const current = blocks.at(-1);
    if (fence && current) {
      current.push(line);
      if (line.trim().startsWith(fence) && !line.trim().replace(/[`~]/g, "")) fence = "";
      blank = !fence;
    } else if (!line.trim()) {
      if (current && ITEM.test(current[0] as string)) current.push("");
      blank = true;
    } else {
      if (current && continues(current, line, blank)) current.push(line);
      else blocks.push([...headOfTable(current, line, blank), line]);
      fence = FENCE.exec(line)?.[1] ?? "";
      // A fence inside a list item ends with the item's block; only one of its own swallows what follows.
      if (fence && blocks.at(-1)?.length !== 1) fence = "";
      blank = HEADING.test(line) || RULE.test(line);
    }
  }
  return blocks.map((lines) => lines.join("\n").trimEnd());
}

function continues(block: string[], line: string, blank: boolean): boolean {
  const first = block[0] as string;
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
  const first = lines[0] as string;
  const heading = HEADING.exec(first);
  if (depth > DEEPEST) return [element("p", block)];
  if (heading)
    return [
      element((heading[1] as string).length > 2 ? "h4" : "h3", ...inline(heading[2] as string, options)),
    ];
  if (RULE.test(first)) return [element("hr")];
  if (FENCE.test(first)) return [renderCode(lines)];
  if (QUOTE.test(first)) {
    const inner = lines.map((line) => line.replace(QUOTE, "")).join("\n");
    return [element("blockquote", ...renderBlocks(inner, options, depth + 1))];
  }
  if (ITEM.test(first)) return renderList(lines, options, depth);
  if (lines.length > 1 && first.includes("|") && TABLE_LINE.test(lines[1] as string))
    return [renderTable(lines, options)];
  return [element("p", ...inline(block, options))];
}

function renderCode(lines: string[]): Node {
  const closed = lines.length > 1 && FENCE.test(lines[lines.length - 1] as string);
  const code = scroller(element("pre", lines.slice(1, closed ? -1 : undefined).join("\n")));
  code.dir = "ltr";
  return code;
}

/** One list, or several where bullets and numbers take turns. */
function renderList(lines: string[], options: Options, depth: number): Node[] {
  const base = ITEM.exec(lines[0] as string)?.[1]?.length ?? 0;
  const lists: HTMLElement[] = [];
  let content: string[] = [];
  let width = 0;
  const finish = () => {
    if (!width) return;
    const item = element("li");
    const nodes = renderBlocks(content.join("\n").trimEnd(), options, depth + 1);
    for (const node of nodes)
      item.append(...(node.nodeName === "P" && nodes.length === 1 ? node.childNodes : [node]));
    lists.at(-1)?.append(item);
  };
  for (const line of lines) {
    const found = ITEM.exec(line);
    if (found && (found[1] as string).length < base + 2) {
      finish();
      const number = found[3];
      const tag = number ? "ol" : "ul";
      if (lists.at(-1)?.localName !== tag) {
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
  const rows = [lines[0] as string, ...lines.slice(2)].map((line, row) => {
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
  /** Emphasis that has begun, outermost first; the first frame is the text itself. */
  const stack: Frame[] = [{ mark: "", nodes: [] }];
  let at = 0;
  let plain = "";

  const top = () => stack.at(-1) as Frame;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  const put = (length: number, ...nodes: Inline): true => {
    if (plain) top().nodes.push(plain);
    plain = "";
    top().nodes.push(...nodes);
    at += length;
    return true;
  };

  /** End the emphasis at `from`; what was begun inside it and never ended is put back as written. */
  const close = (from: number, ended: boolean) => {
    for (const { mark, nodes } of stack.splice(from + 1)) top().nodes.push(mark, ...nodes);
    const { mark, nodes } = stack.pop() as Frame;
    const tag = EMPHASIS[mark];
    top().nodes.push(...(ended && tag && nodes.length ? [element(tag, ...nodes)] : [mark, ...nodes]));
  };

  const escaped = () => {
    const next = text[at + 1] ?? "";
    if (!/[!-/:-@[-`{-~]/.test(next)) return false;
    plain += next;
    at += 2;
    return true;
  };
  const code = () => {
    const found = match(CODE);
    return found && put(found[0].length, element("code", found[2] as string));
  };
  /** A picture becomes a link to it: the visitor decides whether it is fetched. */
  const link = () => {
    const found = match(LINK);
    if (!found) return false;
    const [whole, words, address = ""] = found;
    const label = words ? inline(words, { ...options, open: false }) : [address];
    return put(whole.length, anchor(address, label));
  };
  const citation = () => {
    const found = match(CITATION);
    return (
      found && put(found[0].length, ...(found[1] as string).split(",").map((n) => options.chip(Number(n))))
    );
  };
  const lineBreak = () => {
    const found = match(BREAK);
    return found && put(found[0].length, element("br"));
  };
  const address = () => {
    const found = !WORD.test(text[at - 1] ?? "") && match(ADDRESS);
    if (!found) return false;
    const [whole, opened, inside = "", closed] = found;
    const url = trimUrl(inside);
    return put(opened && closed ? whole.length : (opened as string).length + url.length, anchor(url, [url]));
  };
  const mail = () => {
    const found = match(MAIL_END);
    const name = MAIL_START.exec(plain)?.[0];
    if (!found || !name) return false;
    plain = plain.slice(0, -name.length);
    return put(found[0].length, anchor(`mailto:${name}${found[0]}`, [name + found[0]]));
  };

  /** `**` or `*` where several stand together: the one that ends the innermost emphasis first. */
  const markAt = (char: string) => {
    const twice = char + char;
    if (!text.startsWith(twice, at)) return char;
    const thrice = text.startsWith(twice + char, at);
    const single = top().mark === char && (thrice || !stack.some((frame) => frame.mark === twice));
    return single ? char : twice;
  };
  const emphasis = (char: string) => {
    const mark = markAt(char);
    if (mark === "~") return false;
    const [before, after] = [text[at - 1] ?? "", text[at + mark.length] ?? ""];
    const begun = stack.findIndex((frame) => frame.mark === mark);
    const word = char === "_" || mark === "*";
    put(mark.length);
    // snake_case and 2*3 are words, not emphasis.
    if (begun > 0 && before.trim() && !(char === "_" && WORD.test(after))) close(begun, true);
    else if (after.trim() && !(word && WORD.test(before))) stack.push({ mark, nodes: [] });
    else plain += mark;
    return true;
  };

  /** What may begin with a character, in the order in which it is tried. */
  const readers: Record<string, (char: string) => unknown> = {
    "\\": escaped,
    "`": code,
    "[": () => link() || citation(),
    "!": link,
    "\n": lineBreak,
    "<": () => lineBreak() || address(),
    h: address,
    "@": mail,
    "*": emphasis,
    _: emphasis,
    "~": emphasis,
  };
  while (at < text.length) {
    const char = text[at] as string;
    if (readers[char]?.(char)) continue;
    plain += char;
    at += 1;
  }
  put(0);
  while (stack.length > 1) close(stack.length - 1, options.open === true);
  return (stack[0] as Frame).nodes;
}

/** A bare address without the punctuation of the sentence around it. */
function trimUrl(url: string): string {
  const trimmed = url.replace(/[.,;:!?*_~]+$/, "");
  const unbalanced = trimmed.endsWith(")") && trimmed.split("(").length < trimmed.split(")").length;
  return unbalanced ? trimUrl(trimmed.slice(0, -1)) : trimmed;
}
