import type { Attachment } from "./protocol.ts";

/** What is kept in the visitor's browser, in all pages. */
export interface Kept {
  visitor?: string;
  conversation?: string;
  /** The `seq` of the last frame the visitor saw: what came after it counts as unread. */
  read?: number;
  /** Tells whether the same signed-in user is here, without saying who. */
  user?: string;
  /** The panel stood open: it opens again on the next page. */
  open?: boolean;
  /** Somebody's word is awaited: the next page connects without a click. */
  live?: boolean;
  /** A sound with each message. */
  sound?: boolean;
  /** When each proactive message was last shown, in ms since the epoch. */
  shown?: Record<string, number>;
}

/** What this tab keeps across pages. */
export interface Session {
  unsent?: Unsent[];
  shown?: Record<string, number>;
}

export interface Unsent {
  client_id: string;
  text: string;
  attachments?: Attachment[];
}
