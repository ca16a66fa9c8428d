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
    while (same < blocks.length - 1 && same < this.#blocks.length - 1 && blocks[same] === this.#blocks[same]) same++;
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
  if (heading) return [element((heading[1]?.length ?? 1) > 2 ? "h4" : "h3", ...inline(heading[2] ?? "", options))];
  if (RULE.test(first)) return [element("hr")];
  if (FENCE.test(first)) return [renderCode(lines)];
  if (QUOTE.test(first)) {
    const inner = lines.map((line) => line.replace(QUOTE, "")).join("\n");
    return [element("blockquote", ...renderBlocks(inner, options, depth + 1))];
  }
  if (ITEM.test(first)) return renderList(lines, options, depth);
  if (lines.length > 1 && first.includes("|") && TABLE_LINE.test(lines[1] ?? "")) return [renderTable(lines, options)];
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
    for (const node of nodes) item.append(...(node.nodeName === "P" && nodes.length === 1 ? node.childNodes : [node]));
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
    const cells = line.trim().replace(/^\||\|$/g, "").split("|");
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
const LINK = /!?\[((?:[^[\]]|\[[^[\]]*\])*)\]\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+["'(][^\n]*?["')])?\s*\)/y;
const CITATION = /\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/y;
const ADDRESS = /<?(https?:\/\/[^\s<>"'`[\]]+)>?/y;
const BREAK = /<br\s*\/?>|\n/y;
const MAIL_END = /@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}/y;
const MAIL_START = /[\w.+-]{1,64}$/;

interface Frame {
  mark: string;
  nodes: Inline;
}

/** Emphasis, code, links, citation marks. What is not recognised stands as it was written. */
export function inline(text: string, options: Options): Inline {
  const stack: Frame[] = [{ mark: "", nodes: [] }];
  const top = () => stack[stack.length - 1] as Frame;
  let plain = "";
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  const put = (length: number, ...nodes: Inline) => {
    if (plain) top().nodes.push(plain);
    plain = "";
    top().nodes.push(...nodes);
    at += length;
  };

  while (at < text.length) {
    const char = text[at] as string;
    const before = text[at - 1] ?? "";
    let found: RegExpExecArray | null = null;
    if (char === "\\" && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? "")) {
      plain += text[at + 1];
      at += 2;
    } else if (char === "`" && (found = match(CODE))) {
      put(found[0].length, element("code", found[2] ?? ""));
    } else if ((char === "[" || char === "!") && (found = match(LINK))) {
      // A picture becomes a link to it: the visitor decides whether it is fetched.
      const [, words = "", address = ""] = found;
      put(found[0].length, anchor(address, words ? inline(words, { ...options, open: false }) : [address]));
    } else if (char === "[" && (found = match(CITATION))) {
      put(found[0].length, ...(found[1] ?? "").split(",").map((n) => options.chip(Number(n))));
    } else if ((char === "\n" || char === "<") && (found = match(BREAK))) {
      put(found[0].length, element("br"));
    } else if ((char === "h" || char === "<") && !WORD.test(before) && (found = match(ADDRESS))) {
      const url = trimUrl(found[1] ?? "");
      const bracketed = char === "<" && found[0].endsWith(">");
      put(bracketed ? found[0].length : (char === "<" ? 1 : 0) + url.length, anchor(url, [url]));
    } else if (char === "@" && (found = match(MAIL_END)) && MAIL_START.test(plain)) {
      const name = MAIL_START.exec(plain)?.[0] ?? "";
      plain = plain.slice(0, plain.length - name.length);
      put(found[0].length, anchor(`mailto:${name}${found[0]}`, [name + found[0]]));
    } else if (char === "*" || char === "_" || (char === "~" && text[at + 1] === "~")) {
      const mark = emphasisAt(text, at, stack);
      const after = text[at + mark.length] ?? "";
      const opened = stack.findIndex((frame) => frame.mark === mark);
      const closes = opened > 0 && before.trim() !== "" && !(char === "_" && WORD.test(after));
      const opens = after.trim() !== "" && !(mark.length + Number(char === "_") !== 2 && WORD.test(before));
      put(mark.length);
      if (closes) close(stack, opened, true);
      else if (opens) stack.push({ mark, nodes: [] });
      else plain += mark;
    } else {
      plain += char;
      at += 1;
    }
  }
  put(0);
  while (stack.length > 1) close(stack, stack.length - 1, options.open === true);
  return top().nodes;
}

/** `**` or `*` where several stand together: the one that closes the innermost emphasis first. */
function emphasisAt(text: string, at: number, stack: Frame[]): string {
  const char = text[at] as string;
  const twice = char + char;
  if (!text.startsWith(twice, at)) return char;
  const innermost = stack[stack.length - 1]?.mark;
  const thrice = text.startsWith(twice + char, at);
  const single = innermost === char && (thrice || !stack.some((frame) => frame.mark === twice));
  return single ? char : twice;
}

/** End the emphasis at `from`; what was opened inside it and never closed is put back as written. */
function close(stack: Frame[], from: number, ended: boolean): void {
  for (const { mark, nodes } of stack.splice(from + 1)) stack[from]?.nodes.push(mark, ...nodes);
  const { mark, nodes } = stack.pop() as Frame;
  const outer = (stack[stack.length - 1] as Frame).nodes;
  const tag = EMPHASIS[mark];
  if (ended && tag && nodes.length) outer.push(element(tag, ...nodes));
  else outer.push(mark, ...nodes);
}

/** A bare address without the punctuation of the sentence around it. */
function trimUrl(url: string): string {
  const trimmed = url.replace(/[.,;:!?*_~]+$/, "");
  const unbalanced = trimmed.endsWith(")") && trimmed.split("(").length < trimmed.split(")").length;
  return unbalanced ? trimUrl(trimmed.slice(0, -1)) : trimmed;
}
