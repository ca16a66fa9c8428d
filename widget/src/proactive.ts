import type { Proactive } from "./config.ts";

const DAY_MS = 86_400_000;

interface Hooks {
  /** When a message was last shown (in this session, if that is its measure), as far as the browser may remember. */
  last(message: Proactive): number;
  /** Nothing is in its way: the panel is shut, and nobody has written. */
  free(): boolean;
  show(message: Proactive): void;
}

/** Waits for the moment of each message; shows one at a time, and each once a page. Returns how to stop it. */
export function watch(messages: Proactive[], hooks: Hooks): () => void {
  const begun = Date.now();
  const here = new Set<string>();
  let leaving = false;
  const due = (message: Proactive) => {
    const { id, when = {}, frequency } = message;
    return (
      !here.has(id) &&
      hooks.last(message) <= (frequency === "day" ? Date.now() - DAY_MS : 0) &&
      (!when.url || matches(when.url, location.href)) &&
      Date.now() - begun >= (when.seconds ?? 0) * 1000 &&
      scrolled() >= (when.scroll ?? 0) &&
      (!when.exit || leaving)
    );
  };
  const look = () => {
    const message = hooks.free() && messages.find(due);
    leaving = false;
    if (!message) return;
    here.add(message.id);
    hooks.show(message);
  };
  const onOut = (event: MouseEvent) => {
    leaving = !event.relatedTarget && event.clientY <= 0;
    if (leaving) look();
  };
  // A look a second also notices the addresses of a single-page application.
  const timer = setInterval(look, 1000);
  document.addEventListener("mouseout", onOut);
  look();
  return () => {
    clearInterval(timer);
    document.removeEventListener("mouseout", onOut);
  };
}

/** `*` stands for anything; a pattern without a scheme is looked for after the host. */
export function matches(pattern: string, address: string): boolean {
  const subject = pattern.includes("://") ? address : address.replace(/^\w+:\/\/[^/]*/, "");
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(subject);
}

/** How much of the page has been seen, in percent; all of it where nothing scrolls. */
function scrolled(): number {
  const { scrollHeight } = document.documentElement;
  return ((scrollY + innerHeight) / scrollHeight) * 100;
}
