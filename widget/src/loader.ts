/**
 * What every page loads: paints the bubble, keeps the page's calls, and fetches the app when it is wanted.
 * It stands alone, without dependencies, and stores nothing. Where the script's address names the agent, the server
 * wraps it in a function whose argument is the agent's configuration, so that the bubble waits for no second request.
 */
import type { AppApi, Config, Listener, Start } from "./config.ts";

declare const APP: string;
declare const APP_INTEGRITY: string;
declare const VERSION: string;
declare const CSS: string;
/** The argument of the server's function; null for no such agent. */
declare const NVC: Config | null | undefined;

type Call = [name: string, ...args: unknown[]];
type App = Record<string, (...args: unknown[]) => void>;
type Api = Record<string, unknown>;

const page = window as unknown as { netvexa?: Call[] & Api };
const script = (document.currentScript ??
  document.querySelector("[data-agent-id]")) as HTMLScriptElement | null;
const before = page.netvexa;

// A page that includes the script twice gets one bubble.
if (script?.dataset.agentId && !before?.version) boot(script);

function boot({ dataset: options, src, nonce }: HTMLScriptElement): void {
  const files = new URL(".", src || `${options.host}/widget/v1/`).href;
  const key = `netvexa:${options.agentId}`;
  const listeners: Record<string, Set<Listener>> = {};
  const calls: Call[] = [];
  const root = document.documentElement;
  let app: App | undefined;
  let start: Start | undefined;
  let link: HTMLLinkElement | undefined;
  let loading: boolean | undefined;
  let wanted: boolean | undefined;

  const emit = (name: string, detail?: unknown) =>
    listeners[name]?.forEach((listener) => {
      queueMicrotask(() => listener(detail));
    });

  /** Fetch the app without running it. */
  const preload = () => {
    if (link) return;
    link = Object.assign(document.createElement("link"), {
      rel: "modulepreload",
      crossOrigin: "",
      nonce,
      integrity: APP_INTEGRITY,
      href: files + APP,
    });
    root.append(link);
  };

  const load = async () => {
    if (loading || !start) return;
    loading = true;
    preload();
    const { bubble } = start;
    bubble.ariaBusy = "true";
    try {
      // A cached loader can name an app that a deploy has replaced; `app.js` is always today's.
      const { start: run } = await import(files + APP).catch(() => import(`${files}app.js`));
      app = await run(start);
      for (const [name, ...args] of calls.splice(0)) app?.[name]?.(...args);
    } catch (error) {
      loading = false;
      console.error(error);
    }
    bubble.ariaBusy = null;
  };

  const call = (name: string, ...args: unknown[]) => {
    if (app) return app[name]?.(...args);
    calls.push([name, ...args]);
    if (name === "logout") kept("removeItem");
    wanted ||= /^(open|toggle|ask)$/.test(name);
    if (wanted) load();
  };

  /** Read or remove what the app has kept; a browser that refuses storage has nothing. */
  const kept = (act: "getItem" | "removeItem") => {
    try {
      return localStorage[act](key);
    } catch {}
  };

  const paint = (config: Config | null) => {
    if (!config || page.netvexa !== api) return;
    const { colour = "#4f46e5", position = "right", offset, launcher, launcher_text } = config.theme ?? {};
    const host = document.createElement("netvexa-widget");
    const shadow = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    shadow.adoptedStyleSheets = [sheet];
    const bubble = document.createElement("button");
    const text = launcher === "text" && launcher_text;
    const [r = 0, g = 0, b = 0] = (colour.match(/\w\w/g) ?? []).map((part) => Number(`0x${part}`));
    bubble.className = text ? "b t" : "b";
    bubble.append(text || "");
    bubble.ariaLabel = text || ((config.strings?.open as string) ?? "Open chat");
    bubble.ariaExpanded = "false";
    // White or black on the colour, by its brightness (ITU-R BT.601); the app measures the contrast of its texts.
    bubble.style.cssText = `--c:${colour};--i:${r * 3 + g * 6 + b > 1400 ? "#000" : "#fff"};--y:${offset?.y ?? 20}px;${position}:${offset?.x ?? 20}px`;
    // Whether the team is in today is for the app to find out.
    bubble.hidden = launcher === "hidden" || config.hours?.behaviour === "hide";
    // An app that comes up open, as in the tab beside, must not be shut by the click that called it.
    bubble.onclick = (click) => call(app ? "toggle" : "open", click);
    bubble.onpointerenter = bubble.onfocus = preload;
    shadow.append(bubble);
    // Beside the body, where neither a page's transform nor its exchange of the body reaches.
    root.append(host);
    start = { config, files, shadow, host, bubble, options, emit };
    emit("ready");
    if (wanted) load();
    // Somebody's word is awaited, the panel stood open on the page before, or there is something to watch for.
    const soon =
      (bubble.hidden && !launcher) ||
      config.proactive?.length ||
      /"(open|live)":true/.test(kept("getItem") ?? "");
    whenIdle(soon ? load : preload);
  };

  const api: Api = {
    version: VERSION,
    push: ([name, ...args]: Call) => (api[name] as App[string])(...args),
    on(name: string, listener: Listener) {
      listeners[name] ??= new Set();
      listeners[name].add(listener);
    },
    off: (name: string, listener: Listener) => listeners[name]?.delete(listener),
    destroy() {
      app?.destroy?.();
      start?.host.remove();
      page.netvexa = undefined;
    },
  };
  for (const name of "open close toggle ask identify logout setContext consent".split(
    " ",
  ) as (keyof AppApi)[])
    api[name] = (...args: unknown[]) => call(name, ...args);
  page.netvexa = api as Call[] & Api;
  for (const entry of before ?? []) (api.push as (entry: Call) => void)(entry);

  if (typeof NVC === "undefined")
    fetch(`${options.host ?? new URL(files).origin}/widget/config/${options.agentId}.json`, {
      credentials: "omit",
    })
      .then((answer) => answer.json())
      .then((config) => paint(config.socket && config));
  else paint(NVC);
}

function whenIdle(act: () => void): void {
  if ((navigator as { connection?: { saveData?: boolean } }).connection?.saveData) return;
  // Behind the frame that paints the bubble.
  const idle = () => requestAnimationFrame(() => (window.requestIdleCallback ?? setTimeout)(act));
  if (document.readyState === "complete") idle();
  else addEventListener("load", idle);
}
