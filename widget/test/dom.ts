/** As much of a document as the Markdown view needs, so that its output can be read without a browser. */

export class FakeNode {
  parent: FakeElement | null = null;
  get textContent(): string {
    return "";
  }
  remove(): void {
    if (this.parent) this.parent.childNodes = this.parent.childNodes.filter((child) => child !== this);
    this.parent = null;
  }
}

export class FakeText extends FakeNode {
  constructor(readonly data: string) {
    super();
  }
  override get textContent(): string {
    return this.data;
  }
}

export class FakeElement extends FakeNode {
  childNodes: FakeNode[] = [];
  attributes: Record<string, string> = {};
  dir = "";
  tabIndex = -1;
  className = "";
  constructor(readonly localName: string) {
    super();
  }
  get nodeName(): string {
    return this.localName.toUpperCase();
  }
  override get textContent(): string {
    return this.childNodes.map((child) => child.textContent).join("");
  }
  setAttribute(name: string, value: string): void {
    this.attributes[name] = value;
  }
  append(...children: (FakeNode | string)[]): void {
    for (const child of children) {
      const node = typeof child === "string" ? new FakeText(child) : child;
      node.remove();
      node.parent = this;
      this.childNodes.push(node);
    }
  }
}

export function installDocument(): void {
  Object.assign(globalThis, { document: { createElement: (tag: string) => new FakeElement(tag) } });
}

const escaped = (text: string) =>
  text.replace(/[&<>]/g, (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[char] ?? "");

/** As HTML, without the attributes that every link and block carries. */
export function html(node: FakeNode): string {
  if (!(node instanceof FakeElement)) return escaped(node.textContent);
  const { href, start } = node.attributes;
  const attributes = `${href ? ` href="${href}"` : ""}${start ? ` start="${start}"` : ""}`;
  return `<${node.localName}${attributes}>${node.childNodes.map(html).join("")}</${node.localName}>`;
}

/** Every element under a node. */
export function* elements(node: FakeNode): Generator<FakeElement> {
  if (!(node instanceof FakeElement)) return;
  yield node;
  for (const child of node.childNodes) yield* elements(child);
}
