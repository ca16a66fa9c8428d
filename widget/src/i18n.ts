import english from "./locales/en.json" with { type: "json" };

export type Key = keyof typeof english;
export type Strings = Record<string, string>;

declare const LOCALES: string[];
declare const LOCALES_DIR: string;

/** Languages that are written from right to left. */
const RTL = /^(ar|he|fa|ur)\b/;

export function isRtl(locale: string): boolean {
  return RTL.test(locale);
}

/** The language to speak: what the page asks for, the page's own, then the browser's. */
export function pickLocale(asked: (string | undefined)[], known: readonly string[]): string {
  for (const wish of asked) {
    const base = wish?.toLowerCase().split(/[-_]/)[0];
    if (base === "en" || (base && known.includes(base))) return base;
  }
  return "en";
}

export function localeFor(wish: string | undefined): string {
  return pickLocale([wish, document.documentElement.lang, ...navigator.languages], LOCALES);
}

export class Translator {
  #own: Strings = {};
  #overrides: Strings = {};
  locale = "en";

  /** `{count}` and the like in a text are replaced by `values`. */
  t = (key: Key, values: Record<string, string | number> = {}): string => {
    const text = this.#overrides[key] ?? this.#own[key] ?? english[key] ?? "";
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  };

  /** Change the language; English needs nothing fetched, and stays where a file cannot be read. */
  async load(locale: string, files: string, overrides: Record<string, string | Strings> = {}): Promise<void> {
    const own = locale === "en" ? {} : await fetchStrings(`${files}${LOCALES_DIR}/${locale}.json`);
    this.#own = own ?? {};
    this.locale = own ? locale : "en";
    const flat = Object.entries(overrides).filter(([, text]) => typeof text === "string");
    const mine = overrides[locale];
    this.#overrides = { ...Object.fromEntries(flat), ...(typeof mine === "object" && mine) } as Strings;
  }
}

async function fetchStrings(url: string): Promise<Strings | null> {
  try {
    const answer = await fetch(url, { credentials: "omit" });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
