/**
 * What every page loads: paints the bubble, keeps the page's calls, and fetches the app when it is wanted.
 * It stands alone, without dependencies, and stores nothing.
 */
import type { AppApi, Config, Listener, Start } from "./config.ts";

declare const APP: string;
declare const APP_INTEGRITY: string;
declare const VERSION: string;
declare const CSS: string;

type Call = [name: string, ...args: unknown[]];
type App = Record<string, (...args: unknown[]) => void>;
type Api = Record<string, unknown>;

const METHODS: (keyof AppApi)[] = [
  "open",
  "close",
  "toggle",
  "ask",
  "identify",
  "logout",
  "setContext",
  "consent",
];

const page = window as unknown as { netvexa?: (Call[] & { version?: unknown }) | Api };
const script = (document.currentScript ??
  document.querySelector("script[data-agent-id]")) as HTMLScriptElement | null;
const before = page.netvexa;

// A page that includes the script twice gets one bubble.
if (script?.dataset.agentId && typeof before?.version !== "string") boot(script);

function boot({ dataset: options, src, nonce }: HTMLScriptElement): void {
  const key = `netvexa:${options.agentId}`;
  const files = new URL(".", src || `${options.host}/widget/v1/`).href;
  const listeners: Record<string, Set<Listener>> = {};
  const calls: Call[] = [];
  let app: App | undefined;
  let loading = false;
  let start: Start | undefined;
  let link: HTMLLinkElement | undefined;

  const emit = (name: string, detail?: unknown) => {
    for (const listener of listeners[name] ?? []) queueMicrotask(() => listener(detail));
  };

  /** Fetch the app without running it. */
  const preload = () => {
    if (link) return;
    link = document.createElement("link");
    Object.assign(link, { rel: "modulepreload", crossOrigin: "", nonce, integrity: APP_INTEGRITY });
    link.href = files + APP;
    document.head.append(link);
  };

  /** A cached loader can be older than the files beside it: then their manifest names the app. */
  const importApp = () =>
    import(files + APP).catch(async () => import(files + (await getJson(`${files}manifest.json`)).app));

  const load = async () => {
    if (loading || !start) return;
    loading = true;
    preload();
    start.bubble.ariaBusy = "true";
    try {
      app = await (await importApp()).start(start);
      for (const waiting of calls.splice(0)) call(...waiting);
    } catch (error) {
      loading = false;
      console.error(error);
    }
    start.bubble.ariaBusy = null;
  };

  const wantsApp = () => calls.some(([name]) => /^(open|toggle|ask)$/.test(name));

  const call = (...[name, ...args]: Call) => {
    if (app) app[name]?.(...args);
    else {
      calls.push([name, ...args]);
      if (name === "logout") kept("removeItem");
      if (wantsApp()) load();
    }
  };

  /** Read or remove what the app has kept; a browser that refuses storage has nothing. */
  const kept = (act: "getItem" | "removeItem") => {
    try {
      return localStorage[act](key);
    } catch {}
  };

  const paint = (config: Config) => {
    const { colour = "#4f46e5", position = "right", offset } = config.theme ?? {};
    const host = document.createElement("netvexa-widget");
    const shadow = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    shadow.adoptedStyleSheets = [sheet];
    const bubble = document.createElement("button");
    bubble.className = "b";
    bubble.ariaLabel = (config.strings?.open as string) ?? "Open chat";
    bubble.ariaExpanded = "false";
    bubble.style.cssText = `--c:${colour};--i:${inkOn(colour)};--y:${offset?.y ?? 20}px;${position}:${offset?.x ?? 20}px`;
    bubble.onclick = (click) => call("toggle", click);
    bubble.onpointerenter = bubble.onfocus = preload;
    shadow.append(bubble);
    // Beside the body, where neither a page's transform nor its exchange of the body reaches.
    document.documentElement.append(host);
    start = { config, files, shadow, host, bubble, options, emit };
    emit("ready");
    if (wantsApp()) load();
    // Somebody's word is awaited, or the panel stood open on the page before.
    whenIdle(/"(open|live)":true/.test(kept("getItem") ?? "") ? load : preload);
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
  for (const name of METHODS) api[name] = (...args: unknown[]) => call(name, ...args);
  page.netvexa = api;
  for (const entry of (before as Call[] | undefined) ?? []) (api.push as (entry: Call) => void)(entry);

  getJson(`${options.host ?? new URL(files).origin}/widget/config/${options.agentId}.json`).then(
    (config) => page.netvexa === api && paint(config),
    (error) => console.warn("netvexa: no agent", error),
  );
}

async function getJson(url: string) {
  return (await fetch(url, { credentials: "omit" })).json();
}

/** White or black on a colour, by its brightness (ITU-R BT.601); the app measures the contrast of its texts. */
function inkOn(colour: string): string {
  const rgb = Number.parseInt(colour.slice(1), 16);
  return (rgb >> 16) * 0.3 + ((rgb >> 8) & 255) * 0.59 + (rgb & 255) * 0.11 > 150 ? "#000" : "#fff";
}

function whenIdle(act: () => void): void {
  if ((navigator as { connection?: { saveData?: boolean } }).connection?.saveData) return;
  const idle = () => (window.requestIdleCallback ?? setTimeout)(act);
  if (document.readyState === "complete") idle();
  else addEventListener("load", idle);
}
