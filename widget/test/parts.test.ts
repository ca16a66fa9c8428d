import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { finishedSentences } from "../src/announce.ts";
import { quotedUrl } from "../src/cite.ts";
import { isRtl, pickLocale } from "../src/i18n.ts";
import { contrast, palette, parseColour } from "../src/theme.ts";

const LOCALES = new URL("src/locales/", `file://${process.cwd()}/`);
const read = (file: string): Record<string, string> =>
  JSON.parse(readFileSync(new URL(file, LOCALES), "utf8"));

test("sentences are read out once they are whole", () => {
  const said = (text: string) => text.slice(0, finishedSentences(text));
  assert.equal(said("Send it back. Then wait"), "Send it back.");
  assert.equal(said("It costs 4.50"), "");
  assert.equal(said("Really? Yes"), "Really?");
  assert.equal(said("はい。それは"), "はい。");
  assert.equal(said("One\nTwo"), "One\n");
});

test("a source opens at the quoted words, where a browser can go there", () => {
  assert.equal(
    quotedUrl("https://a.example/p", "short and well-known words"),
    "https://a.example/p#:~:text=short%20and%20well%2Dknown%20words",
  );
  assert.equal(quotedUrl("https://a.example/p#s", "a b c"), "https://a.example/p#s:~:text=a%20b%20c");
  assert.match(
    quotedUrl("https://a.example/p", "1 2 3 4 5 6 7 8 9 10 11 12") ?? "",
    /=1%202%203%204%205,8%209%2010%2011%2012$/,
  );
  assert.equal(
    quotedUrl("https://a.example/p", "## Set user_name in C# _first_"),
    "https://a.example/p#:~:text=Set%20user_name%20in%20C%23%20first",
  );
  assert.equal(quotedUrl("https://a.example/m.pdf#page=3", "a b"), "https://a.example/m.pdf#page=3");
  const pdf = "https://a.example/m.PDF";
  assert.equal(quotedUrl(pdf, "a b", "12"), `${pdf}#page=12`);
  assert.equal(quotedUrl(`${pdf}#page=3`, "a b", "12"), `${pdf}#page=3`);
  assert.equal(quotedUrl(`${pdf}#s`, "a b", "12"), `${pdf}#s`);
  assert.equal(quotedUrl(pdf, "a b", "iv"), pdf);
  assert.equal(quotedUrl(pdf, "a b"), pdf);
  assert.equal(quotedUrl("javascript:alert(1)", "a"), null);
  assert.equal(quotedUrl(undefined, "a"), null);
});

test("texts on any brand colour can be read", () => {
  for (const colour of [
    "#4f46e5",
    "#ffffff",
    "#000000",
    "#ffd400",
    "#00b894",
    "#777777",
    "#e11d48",
    "#7fff00",
  ]) {
    const { brand, ink, accentLight, accentDark } = palette(colour);
    const rgb = (css: string) => (css.match(/\d+/g) ?? []).map(Number) as [number, number, number];
    assert.ok(contrast(rgb(brand), rgb(ink)) >= 4.5, colour);
    assert.ok(contrast(rgb(accentLight), [244, 244, 247]) >= 4.5, colour);
    assert.ok(contrast(rgb(accentDark), [43, 44, 51]) >= 4.5, colour);
  }
});

test("a colour that is none becomes the default, never CSS", () => {
  assert.deepEqual(parseColour("red;} *{display:none"), parseColour(undefined));
  assert.deepEqual(parseColour("#f00"), [255, 0, 0]);
});

test("the page's language goes before the browser's", () => {
  assert.equal(pickLocale([undefined, "de-AT", "fr"], ["de", "fr"]), "de");
  assert.equal(pickLocale(["xx", "pt_BR"], ["pt"]), "pt");
  assert.equal(pickLocale(["xx"], ["de"]), "en");
  assert.deepEqual([isRtl("ar"), isRtl("ara"), isRtl("de")], [true, false, false]);
});

test("every language says everything, with the same blanks to fill", () => {
  const english = read("en.json");
  const blanks = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join();
  const files = readdirSync(LOCALES);
  assert.ok(files.length >= 12);
  for (const file of files) {
    const texts = read(file);
    assert.deepEqual(Object.keys(texts), Object.keys(english), file);
    for (const [key, text] of Object.entries(texts))
      assert.equal(blanks(text), blanks(english[key] ?? ""), `${file}: ${key}`);
  }
});
