import { safeUrl } from "./markdown.ts";

/** How many words of a long quotation begin and end a text fragment. */
const EDGE_WORDS = 5;

/**
 * The address of a source, at the quoted words where the browser can go there (a text fragment), or at the page of a
 * PDF. An address that names its place already is left as it is. The server has its twin (`netvexa.lib.quotes`).
 */
export function quotedUrl(address: string | undefined, snippet: string, page = ""): string | null {
  const url = address ? safeUrl(address) : null;
  if (!url?.startsWith("http") || /#page=|:~:/.test(url)) return url;
  const hash = url.includes("#") ? "" : "#";
  if (/\.pdf($|[?#])/i.test(url)) return hash && /^\d+$/.test(page) ? `${url}#page=${page}` : url;
  const fragment = textFragment(snippet);
  return fragment ? `${url}${hash}:~:text=${fragment}` : url;
}

function textFragment(snippet: string): string {
  // Markdown's signs, but not those of user_name and C#.
  const parts = snippet.replace(/[*`>|]|\B#+|\b_+|_+\b/g, " ").split(/…|\.\.\.|\n/);
  const [longest = ""] = parts.sort((one, other) => other.length - one.length);
  const words = longest.match(/\S+/g) ?? [];
  if (words.length <= EDGE_WORDS * 2) return escaped(words);
  return `${escaped(words.slice(0, EDGE_WORDS))},${escaped(words.slice(-EDGE_WORDS))}`;
}

function escaped(words: string[]): string {
  return encodeURIComponent(words.join(" ")).replace(/-/g, "%2D");
}
