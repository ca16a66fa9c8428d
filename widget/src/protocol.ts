/** The frames of protocol v1 (docs/protocol.md), as types, and the one place where a text becomes a frame. */

export type Phase = "bot" | "waiting" | "human" | "closed";

export interface Author {
  kind: "visitor" | "bot" | "human" | "system";
  name?: string;
  avatar?: string;
}

export interface Citation {
  n: number;
  title: string;
  url?: string;
  snippet: string;
  /** Of a PDF, as it is printed there. */
  page?: string;
  /** The headings above, outermost first, with " › " between them. */
  heading?: string;
}

/** A file of a message. The address is signed and good for a while. */
export interface Attachment {
  id: string;
  name: string;
  type: string;
  /** Bytes. */
  size: number;
  url: string;
}

/** One line of the list of a visitor's conversations. */
export interface Past {
  conversation: string;
  title?: string;
  at?: string;
  state?: Phase;
  preview?: string;
  unread?: number;
}

export interface Answer {
  text: string;
  citations?: Citation[];
  cached?: boolean;
  grounded?: boolean;
  stopped?: "visitor" | "budget" | "length" | "error";
}

/** One entry of `welcome.history`: a message as it is stored. */
export interface StoredMessage extends Answer {
  message: string;
  author?: Author;
  client_id?: string;
  seq?: number;
  at?: string;
  /** The answer is still being written; its next `token` frames follow. */
  streaming?: boolean;
  /** What the visitor has thought of it: 1 or -1. */
  feedback?: number;
  attachments?: Attachment[];
}

export interface AgentFace {
  name: string;
  avatar?: string;
  greeting: string;
  suggestions: string[];
}

/** Who the page says is there: signed by a hash (with `expires`, seconds since the epoch, inside it) or as a JWT. */
export interface Identity {
  user_id?: string;
  name?: string;
  email?: string;
  hash?: string;
  expires?: number;
  token?: string;
}

export interface Hello {
  type: "hello";
  visitor?: string;
  conversation?: string;
  last_seq?: number;
  identity?: Identity;
  page?: { url: string; title: string; referrer: string };
  locale?: string;
  context?: Record<string, string | number | boolean>;
}

export type ErrorCode =
  | "invalid"
  | "too_long"
  | "rate_limited"
  | "quota_exceeded"
  | "not_allowed"
  | "unavailable";

export type ClientFrame =
  | Hello
  | { type: "message"; client_id: string; text: string; attachments?: string[] }
  | { type: "read"; seq: number }
  | { type: "conversations" }
  | { type: "transcript"; email: string }
  | { type: "forget" }
  | { type: "stop"; message: string }
  | { type: "typing" }
  | { type: "feedback"; message: string; value: number; comment?: string }
  | { type: "rating"; score: number; comment?: string }
  | { type: "lead"; fields: Record<string, string> }
  | { type: "handoff"; reason?: string }
  | { type: "end" }
  | { type: "ping" };

export interface Welcome {
  type: "welcome";
  visitor: string;
  conversation: string;
  seq: number;
  history?: StoredMessage[];
  state: Phase;
  agent?: AgentFace;
  unread?: number;
  identified?: boolean;
}

/** Frames that change what is displayed; each carries the number of its place. */
export type ShownFrame = { seq: number } & (
  | { type: "ack"; client_id: string; message: string; text?: string }
  | { type: "start"; message: string }
  | { type: "token"; message: string; text: string }
  | ({ type: "end"; message: string } & Answer)
  | {
      type: "message";
      message: string;
      author: Author;
      text: string;
      client_id?: string;
      attachments?: Attachment[];
    }
  | { type: "state"; state: Phase; author?: Author }
);

export interface ErrorFrame {
  type: "error";
  code: ErrorCode;
  detail: string;
  client_id?: string;
  retry_after?: number;
}

export type ServerFrame =
  | Welcome
  | ShownFrame
  | ErrorFrame
  | { type: "typing"; author: Author }
  /** The team has seen everything up to this number; it is no part of the order. */
  | { type: "read"; seq: number }
  | { type: "conversations"; items: Past[] }
  | { type: "done"; what: string; receipt?: string }
  | { type: "pong" };

/** The longest message that the server takes, in characters. */
export const MAX_TEXT = 4000;

export const Close = {
  malformed: 4400,
  badToken: 4401,
  originRefused: 4403,
  noAgent: 4404,
  noHello: 4408,
  tooMany: 4429,
  restarting: 1012,
} as const;

/** A frame out of a socket's text; null when it is none. What this version does not know is ignored later. */
export function parseFrame(text: string): ServerFrame | null {
  try {
    const frame = JSON.parse(text);
    return typeof frame?.type === "string" ? frame : null;
  } catch {
    return null;
  }
}
