import type { Attachment, Author, Citation, ErrorFrame, StoredMessage } from "./protocol.ts";

export interface Message {
  /** The server's id, or the client's own until the server has acknowledged it. */
  id: string;
  clientId?: string;
  author: Author;
  text: string;
  /** Place in the conversation; Infinity until acknowledged. */
  seq: number;
  status: "sending" | "stored" | "failed";
  streaming?: boolean;
  citations: Citation[];
  attachments: Attachment[];
  grounded: boolean;
  stopped?: string;
  feedback?: number;
  error?: Pick<ErrorFrame, "code" | "detail">;
  at: number;
  /** What the visitor has opened at this message. */
  ui: { sources?: boolean; cited?: number; why?: boolean; copied?: boolean };
}

export function newMessage(id: string, author: Author, seq: number, more: Partial<Message> = {}): Message {
  return {
    id,
    author,
    seq,
    text: "",
    status: "stored",
    citations: [],
    attachments: [],
    grounded: true,
    at: Date.now(),
    ui: {},
    ...more,
  };
}

export function fromHistory(stored: StoredMessage, place: number, latest: number): Message {
  const seq = stored.seq ?? Math.min(place / 1e6, latest);
  return newMessage(stored.message, stored.author ?? { kind: "bot" }, seq, {
    ...stored,
    seq,
    clientId: stored.client_id,
    at: stored.at ? Date.parse(stored.at) : 0,
  });
}

/** A random UUID; `crypto.randomUUID` is missing on plain-http pages. */
export function newId(): string {
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
    (
      Number(digit) ^
      ((crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) & (15 >> (Number(digit) / 4)))
    ).toString(16),
  );
}
