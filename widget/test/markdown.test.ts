import assert from "node:assert/strict";
import { test } from "node:test";
import { MarkdownView, safeUrl } from "../src/markdown.ts";
import { elements, FakeElement, html, installDocument } from "./dom.ts";
import { PAYLOADS } from "./payloads.ts";

installDocument();

const ALLOWED_TAGS =
  /^(root|a|blockquote|br|button|code|div|em|h3|h4|hr|li|ol|p|pre|s|strong|table|td|th|tr|ul)$/;
const ALLOWED_ATTRIBUTES = /^(href|target|rel|start|n)$/;

function chip(n: number): Node {
  const button = new FakeElement("button");
  button.append(String(n));
  return button as unknown as Node;
}

function draw(text: string, pieces: string[] = [text]): FakeElement {
  const root = new FakeElement("root");
  const view = new MarkdownView(root as unknown as HTMLElement);
  let sofar = "";
  for (const piece of pieces) {
    sofar += piece;
    view.show(sofar, { chip, open: true });
  }
  view.show(text, { chip });
  return root;
}

const inner = (text: string) => html(draw(text)).slice("<root>".length, -"</root>".length);

function cut(text: string, size: number): string[] {
  return text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? [];
}

const CASES: [name: string, text: string, expected: string][] = [
  ["emphasis", "a **b** *c* ~~d~~ `e`", "<p>a <strong>b</strong> <em>c</em> <s>d</s> <code>e</code></p>"],
  [
    "emphasis within emphasis",
    "***a*** **b *c* d**",
    "<p><strong><em>a</em></strong> <strong>b <em>c</em> d</strong></p>",
  ],
  [
    "names and sums are no emphasis",
    "snake_case_name and 2*3*4 and 5* hotel",
    "<p>snake_case_name and 2*3*4 and 5* hotel</p>",
  ],
  ["what was begun and never ended", "a **b and *c", "<p>a **b and *c</p>"],
  ["an ordered list with a gap between items", "1. a\n\n2. b", "<ol><li>a</li><li>b</li></ol>"],
  ["a list that starts later", "3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'],
  ["a list within a list", "- a\n  - b\n- c", "<ul><li><p>a</p><ul><li>b</li></ul></li><li>c</li></ul>"],
  ["a list right after a sentence", "Do this:\n1. a\n2. b", "<p>Do this:</p><ol><li>a</li><li>b</li></ol>"],
  ["headings, quotes and rules", "# a\n> b\n\n---", "<h3>a</h3><blockquote><p>b</p></blockquote><hr></hr>"],
  ["a fence with markup in it", "```js\n<b>*x*\n```\nafter", "<pre>&lt;b&gt;*x*</pre><p>after</p>"],
  ["a fence that is still open", "```\na\n\nb", "<pre>a\n\nb</pre>"],
  [
    "a table after a sentence",
    "So:\n| a | b |\n|---|---|\n| 1 | [2] |",
    "<p>So:</p><div><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td><button>2</button></td></tr></table></div>",
  ],
  [
    "citation marks",
    "Yes [1][2], and [3, 4].",
    "<p>Yes <button>1</button><button>2</button>, and <button>3</button><button>4</button>.</p>",
  ],
  ["brackets that are no marks", "a [b] c", "<p>a [b] c</p>"],
  ["a link", '[a](https://b.example/c_d "t")', '<p><a href="https://b.example/c_d">a</a></p>'],
  [
    "a bare address in a sentence",
    "See https://b.example/c(d).",
    '<p>See <a href="https://b.example/c(d)">https://b.example/c(d)</a>.</p>',
  ],
  [
    "an address before a mark",
    "https://b.example[1]",
    '<p><a href="https://b.example/">https://b.example</a><button>1</button></p>',
  ],
  ["a mail address", "to a.b@c.example.", '<p>to <a href="mailto:a.b@c.example">a.b@c.example</a>.</p>'],
  [
    "a picture is a link to it",
    "![x](https://b.example/i.png)",
    '<p><a href="https://b.example/i.png">x</a></p>',
  ],
  ["escapes", "\\*a\\* \\[1\\]", "<p>*a* [1]</p>"],
  ["lines", "a\nb<br>c", "<p>a<br></br>b<br></br>c</p>"],
  ["HTML is text", "<b onclick=x>a</b>", "<p>&lt;b onclick=x&gt;a&lt;/b&gt;</p>"],
];

for (const [name, text, expected] of CASES)
  test(name, () => {
    assert.equal(inner(text), expected);
  });

test("the pieces in which a text arrives leave no trace", () => {
  for (const [, text, expected] of CASES)
    for (const size of [1, 2, 3, 5])
      assert.equal(html(draw(text, cut(text, size))), `<root>${expected}</root>`, `${size}: ${text}`);
});

test("no attack becomes more than words and harmless links", () => {
  assert.ok(PAYLOADS.length >= 22);
  for (const payload of PAYLOADS)
    for (const size of [1, 4, 1000])
      for (const element of elements(draw(payload, cut(payload, size)))) {
        assert.match(element.localName, ALLOWED_TAGS, payload);
        for (const [name, value] of Object.entries(element.attributes)) {
          assert.match(name, ALLOWED_ATTRIBUTES, payload);
          if (name === "href") assert.match(value, /^(https?:\/\/|mailto:)/, payload);
        }
      }
});

test("addresses of every other scheme are refused", () => {
  for (const address of [
    "javascript:alert(1)",
    " JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:x",
    "//evil.example",
    "/path",
    "#a",
    "",
  ])
    assert.equal(safeUrl(address), null, address);
  assert.equal(safeUrl("https://a.example/b?c#d"), "https://a.example/b?c#d");
});

test("no word is lost, whatever marks stand around it", () => {
  const alphabet = [
    "a",
    "b1",
    " ",
    "\n",
    "*",
    "**",
    "_",
    "`",
    "```",
    "[",
    "]",
    "(",
    ")",
    "!",
    "#",
    "> ",
    "- ",
    "1. ",
    "|",
    "~~",
    "<",
    "@",
    "\\",
    "  ",
  ];
  let seed = 20260727;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let round = 0; round < 3000; round++) {
    const parts = Array.from({ length: 1 + random(24) }, () => alphabet[random(alphabet.length)]);
    const text = parts.join("");
    const words = (all: string) => all.match(/[ab]/g)?.length ?? 0;
    // A fence's own line names a language, and an address stands in its link; neither is shown.
    if (/```|\]\(/.test(text)) continue;
    assert.equal(words(draw(text).textContent), words(text), JSON.stringify(text));
  }
});

test("deep nesting ends in plain text instead of exhausting the stack", () => {
  const root = draw(`${"> ".repeat(2000)}end`);
  assert.match(root.textContent, /end$/);
  assert.ok([...elements(root)].length < 40);
});

test("a long text of hostile marks is drawn in a moment", () => {
  for (const mark of ["*", "_", "[", "![", "`", "<", "@", "[a](", "**a", "1. ", "| "]) {
    const begun = performance.now();
    draw(mark.repeat(8000 / mark.length));
    assert.ok(performance.now() - begun < 2000, mark);
  }
});
