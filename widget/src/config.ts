import type { Identity } from "./protocol.ts";

export interface LeadField {
  name: string;
  label?: string;
  type?: "text" | "email" | "tel";
  required?: boolean;
}

/** The lead form of an agent: when it shows and what it asks for. */
export interface LeadForm {
  /** `before`: ahead of the first message. `offer`: when an answer is missing or a person is waited for. */
  when: "before" | "offer";
  title?: string;
  fields?: LeadField[];
  /** What the visitor agrees to by sending; with `consent_required` it is a box to tick. */
  consent?: string;
  consent_required?: boolean;
}

export interface Theme {
  colour?: string;
  position?: "left" | "right";
  radius?: number;
  scheme?: "auto" | "light" | "dark" | "host";
  /** What opens the panel; `hidden`: only the page's own call. */
  launcher?: "bubble" | "text" | "hidden";
  launcher_text?: string;
  /** Distance of the bubble from the window's edges, in px. */
  offset?: { x?: number; y?: number };
  /** `inherit`: the letters of the page around it. */
  font?: "inherit" | "system";
}

/** When people of the team are there, in the team's time zone. */
export interface Hours {
  time_zone: string;
  /** Monday first: pairs of `HH:MM`. */
  week: [from: string, to: string][][];
  /** Days on which nobody is there, `YYYY-MM-DD`. */
  closed?: string[];
  /** What is said while nobody is there. */
  away?: string;
  /** While nobody is there: the agent answers as ever, only a contact form is shown, or nothing at all. */
  behaviour?: "answer" | "form" | "hide";
}

/** A word to a visitor who has not asked yet. All that `when` names must be so. */
export interface Proactive {
  id: string;
  text: string;
  when?: { url?: string; seconds?: number; scroll?: number; exit?: boolean };
  frequency?: "session" | "day" | "once";
}

/** `/widget/config/<agent_id>.json`: public, cached, and the same for every visitor. */
export interface Config {
  agent_id: string;
  name: string;
  avatar?: string | null;
  greeting?: string;
  suggestions?: string[];
  theme?: Theme;
  /** Texts that replace the built-in ones, by key; `{language: {key: text}}` or flat for every language. */
  strings?: Record<string, string | Record<string, string>>;
  leads?: LeadForm | null;
  handoff?: boolean;
  socket: string;
  privacy_url?: string | null;
  branding?: boolean;
  attachments?: { types: string[]; max_bytes: number } | null;
  hours?: Hours | null;
  proactive?: Proactive[];
  /** Switches; what is not said is off, but the rating, which is on. */
  rating?: boolean;
  transcript?: boolean;
  privacy_panel?: boolean;
  sound?: boolean;
}

export type Listener = (detail: unknown) => void;

/** What the loader hands to the app, which lives in the loader's shadow root. */
export interface Start {
  config: Config;
  /** Where the built files are, with a slash at the end. */
  files: string;
  shadow: ShadowRoot;
  host: HTMLElement;
  bubble: HTMLButtonElement;
  options: DOMStringMap;
  emit(name: string, detail?: unknown): void;
}

export interface Context {
  locale?: string;
  theme?: "auto" | "light" | "dark" | "host";
  page?: { url?: string; title?: string };
  lead?: Record<string, string>;
  [key: string]: unknown;
}

/** The calls that the app takes over from the loader. */
export interface AppApi {
  open(click?: Event): void;
  close(): void;
  toggle(click?: Event): void;
  ask(text: string): void;
  identify(identity: Identity): void;
  logout(): void;
  setContext(context: Context): void;
  consent(granted?: boolean): void;
  destroy(): void;
}
