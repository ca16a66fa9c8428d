/**
 * Draws the views: JSX to DOM, changing only what differs from the last drawing.
 *
 * The views are pure functions of the widget's state, so of a framework only this is needed; it is a sixth of the
 * smallest one's size. Children with a `key` keep their element wherever they move; the others are matched by their
 * place, in which a `null` or `false` counts, so that what appears and goes does not disturb its neighbours.
 */

export type Child = VNode | string | number | boolean | null | undefined | Child[];
type Props = Record<string, unknown>;
type View<P> = (props: P) => Child;

export interface VNode {
  /** Empty for a text. */
  tag: string;
  key: unknown;
  props: Props;
  children: (VNode | null)[];
  text: string;
  node?: Element | Text;
}

type Handler<E, T> = (event: E & { currentTarget: T }) => unknown;

interface Attributes<T> {
  key?: string | number;
  ref?: (node: T) => void;
  style?: Record<string, string | undefined | false>;
  children?: Child;
  onClick?: Handler<MouseEvent, T>;
  onKeyDown?: Handler<KeyboardEvent, T>;
  onInput?: Handler<InputEvent, T>;
  onChange?: Handler<Event, T>;
  onSubmit?: Handler<SubmitEvent, T>;
  onScroll?: Handler<Event, T>;
  onDragOver?: Handler<DragEvent, T>;
  onDragLeave?: Handler<DragEvent, T>;
  onDrop?: Handler<DragEvent, T>;
  onPaste?: Handler<ClipboardEvent, T>;
  [attribute: string]: unknown;
}

export declare namespace h {
  export namespace JSX {
    type Element = VNode;
    type ElementType = string | ((props: never) => Child);
    interface ElementChildrenAttribute {
      children: unknown;
    }
    interface IntrinsicAttributes {
      key?: string | number;
    }
    type IntrinsicElements = {
      [Tag in keyof HTMLElementTagNameMap]: Attributes<HTMLElementTagNameMap[Tag]>;
    } & { svg: Attributes<SVGElement>; path: Attributes<SVGElement> };
  }
}

export function h<P>(tag: string | View<P>, props: P | null, ...children: Child[]): Child {
  if (typeof tag === "string")
    return {
      tag,
      key: (props as Props | null)?.key,
      props: (props ?? {}) as Props,
      children: flat(children),
      text: "",
    };
  const made = tag({ ...props, children } as P);
  const key = (props as Props | null)?.key;
  if (key !== undefined && made) (made as VNode).key = key;
  return made;
}

export function Fragment({ children }: { children?: Child }): Child {
  return children;
}

const drawn = new WeakMap<Element, (VNode | null)[]>();
let refs: (() => void)[] = [];

export function render(view: Child, place: Element): void {
  const children = flat([view]);
  refs = [];
  patchChildren(place, drawn.get(place) ?? [], children);
  drawn.set(place, children);
  for (const call of refs) call();
}

function flat(children: Child[]): (VNode | null)[] {
  return children.flatMap((child) => {
    if (Array.isArray(child)) return flat(child);
    if (child === null || child === undefined || typeof child === "boolean") return [null];
    if (typeof child === "object") return [child];
    return [{ tag: "", key: undefined, props: {}, children: [], text: String(child) }];
  });
}

function patchChildren(parent: Element, before: (VNode | null)[], now: (VNode | null)[]): void {
  const keyed = new Map(before.filter((old) => old?.key !== undefined).map((old) => [old?.key, old]));
  const placed = before.filter((old) => old?.key === undefined);
  const left = new Set(before);
  for (const child of now) {
    const old = child?.key === undefined ? placed.shift() : keyed.get(child.key);
    if (!child) continue;
    const same = old?.tag === child.tag ? old : null;
    left.delete(same);
    patch(child, same);
  }
  // Before anything is put in its place: an element that has to move loses the focus.
  for (const old of left) old?.node?.remove();
  let next = parent.firstChild;
  for (const child of now) {
    if (!child?.node) continue;
    if (child.node === next) next = next.nextSibling;
    else parent.insertBefore(child.node, next);
  }
}

function patch(now: VNode, before: VNode | null): void {
  if (!now.tag) {
    now.node = before?.node ?? document.createTextNode(now.text);
    if (before && before.text !== now.text) (now.node as Text).data = now.text;
    return;
  }
  const node = (before?.node ?? create(now.tag)) as Element;
  now.node = node;
  for (const name in { ...before?.props, ...now.props })
    setProp(node, name, now.props[name], before?.props[name]);
  // What a ref has put into an element that has no children of ours stays.
  if (now.children.length || before?.children.length)
    patchChildren(node, before?.children ?? [], now.children);
  const ref = now.props.ref as ((node: Element) => void) | undefined;
  if (ref) refs.push(() => ref(node));
}

/** A button sends no form unless it says so. */
function create(tag: string): Element {
  if (/^(svg|path)$/.test(tag)) return document.createElementNS("http://www.w3.org/2000/svg", tag);
  const node = document.createElement(tag);
  if (tag === "button") (node as HTMLButtonElement).type = "button";
  return node;
}

function setProp(node: Element, name: string, value: unknown, before: unknown): void {
  if (name === "value") {
    if ((node as unknown as Props)[name] !== value) Object.assign(node, { [name]: value });
  } else if (name === "style") {
    const { style } = node as HTMLElement;
    for (const property in { ...(before as Props), ...(value as Props) })
      style.setProperty(property, ((value as Props)[property] as string) || "");
  } else if (value !== before && !/^(key|ref|children)$/.test(name)) {
    const attribute = name === "defaultValue" ? "value" : name;
    const flag = typeof value === "boolean" && !name.startsWith("aria");
    if (name.startsWith("on"))
      listen(node, name.toLowerCase(), value as ((event: Event) => unknown) | undefined);
    else if (value === null || value === undefined || (flag && !value)) node.removeAttribute(attribute);
    else node.setAttribute(attribute, flag ? "" : String(value));
  }
}

/** A handler that answers `false`, as `a && b()` does, must not cancel what the browser does by itself. */
function listen(node: Element, property: string, handler: ((event: Event) => unknown) | undefined): void {
  const call = (event: Event) => {
    handler?.(event);
  };
  Object.assign(node, { [property]: handler && call });
}
