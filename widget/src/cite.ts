import { safeUrl } from "./markdown.ts";

/** How many words of a long quotation begin and end a text fragment. */
const EDGE_WORDS = 5;

/**
 * The address of a source, at the quoted words where the browser can go there (a text fragment).
 * A PDF, or an address that names a page already, is left as it is.
 */
export function quotedUrl(address: string | undefined, snippet: string): string | null {
  const url = address ? safeUrl(address) : null;
  if (!url?.startsWith("http")) return url;
  const fragment = textFragment(snippet);
  if (!fragment || /\.pdf($|[?#])|#page=|:~:/i.test(url)) return url;
  return `${url}${url.includes("#") ? "" : "#"}:~:text=${fragment}`;
}

function textFragment(snippet: string): string {
  const whole = snippet.replace(/[*_`#>|]/g, " ").split(/…|\.\.\.|\n/);
  const longest = whole.reduce((best, part) => (part.length > best.length ? part : best), "");
  const words = longest.trim().split(/\s+/).filter(Boolean);
  if (words.length <= EDGE_WORDS * 2) return escaped(words);
  return `${escaped(words.slice(0, EDGE_WORDS))},${escaped(words.slice(-EDGE_WORDS))}`;
}

function escaped(words: string[]): string {
  return encodeURIComponent(words.join(" ")).replace(/-/g, "%2D");
}
