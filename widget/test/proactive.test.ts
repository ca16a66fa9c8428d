import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import type { Proactive } from "../src/config.ts";
import { matches, watch } from "../src/proactive.ts";

let shown: string[];
let last: Record<string, number>;
let free: boolean;
let listeners: Record<string, (event: unknown) => void>;
let stop: () => void;

beforeEach(() => {
  mock.timers.enable({ apis: ["setInterval", "Date"], now: 1_000_000 });
  [shown, last, free, listeners] = [[], {}, true, {}];
  Object.assign(globalThis, {
    location: { href: "https://shop.example/pricing?x=1" },
    scrollY: 0,
    innerHeight: 500,
    document: {
      documentElement: { scrollHeight: 1000 },
      addEventListener: (name: string, act: (event: unknown) => void) => {
        listeners[name] = act;
      },
      removeEventListener: (name: string) => delete listeners[name],
    },
  });
});

afterEach(() => {
  stop();
  mock.timers.reset();
});

function begin(...messages: Partial<Proactive>[]): void {
  stop = watch(
    messages.map((message, at) => ({ id: `m${at}`, text: "Hello", ...message })),
    {
      last: ({ id }) => last[id] ?? 0,
      free: () => free,
      show: ({ id }) => shown.push(id),
    },
  );
}

test("a message waits for its seconds, and comes once a page", () => {
  begin({ when: { seconds: 5 } });
  mock.timers.tick(4_000);
  assert.deepEqual(shown, []);
  mock.timers.tick(20_000);
  assert.deepEqual(shown, ["m0"]);
});

test("a message waits until as much of the page was seen", () => {
  begin({ when: { scroll: 80 } });
  mock.timers.tick(5_000);
  assert.deepEqual(shown, []);
  Object.assign(globalThis, { scrollY: 400 });
  mock.timers.tick(1_000);
  assert.deepEqual(shown, ["m0"]);
});

test("a message comes when the pointer leaves through the top, not elsewhere", () => {
  begin({ when: { exit: true } });
  listeners.mouseout?.({ relatedTarget: null, clientY: 300 });
  listeners.mouseout?.({ relatedTarget: {}, clientY: -1 });
  mock.timers.tick(3_000);
  assert.deepEqual(shown, []);
  listeners.mouseout?.({ relatedTarget: null, clientY: -1 });
  assert.deepEqual(shown, ["m0"]);
});

test("a message stays away until its time has passed, or for good", () => {
  last = { m0: 999_000, m1: 1, m2: 1 };
  begin({ frequency: "day" }, { frequency: "once" }, { frequency: "session" });
  mock.timers.tick(3_000);
  assert.deepEqual(shown, []);
  mock.timers.tick(86_400_000);
  assert.deepEqual(shown, ["m0"]);
});

test("nobody is spoken to who is talking already", () => {
  free = false;
  begin({});
  mock.timers.tick(3_000);
  assert.deepEqual(shown, []);
});

test("an address is a path, or whole where it has a scheme; a star is anything", () => {
  const here = "https://shop.example/pricing?x=1";
  for (const [pattern, fits] of [
    ["/pricing*", true],
    ["/pricing", false],
    ["*x=1", true],
    ["https://shop.example/*", true],
    ["https://other.example/*", false],
    ["/p.icing*", false],
  ] as const)
    assert.equal(matches(pattern, here), fits, pattern);
});
