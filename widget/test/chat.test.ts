import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Chat } from "../src/chat.ts";
import { GAP_MS } from "../src/sequence.ts";
import { afterClose } from "../src/socket.ts";
import { Storage } from "../src/storage.ts";
import { areas, FakeSocket, installBrowser, stopTime } from "./network.ts";

const KEY = "netvexa:a1";
let visible = true;
let chat: Chat;
let events: [string, unknown][];

function newChat({ unlocked = true, allowed = true } = {}): Chat {
  const storage = new Storage(KEY, () => allowed);
  if (unlocked) storage.unlock();
  return new Chat({
    config: { agent_id: "a1", name: "Ada", socket: "wss://shop.example/ws/v1/chat/a1/" },
    storage,
    locale: () => "en",
    visible: () => visible,
    changed: () => {},
    uploadFailed: () => "That did not work.",
    emit: (name, detail) => events.push([name, detail]),
  });
}

beforeEach(() => {
  installBrowser();
  stopTime();
  visible = true;
  events = [];
  chat = newChat();
});

afterEach(() => {
  chat.destroy();
  mock.timers.reset();
});

const texts = () => chat.state.messages.map((message) => message.text);
const tick = (ms: number) => mock.timers.tick(ms);
const kept = () => JSON.parse(areas.localStorage.getItem(KEY) ?? "null");

/** Ask, and let the server acknowledge with `seq` 1. */
function ask(text = "Hello?"): FakeSocket {
  chat.connect();
  const socket = FakeSocket.latest.welcome();
  chat.send(text);
  const { client_id } = socket.ofType("message")[0] as { client_id: string };
  return socket.say({ type: "ack", client_id, message: "v1", seq: 1 });
}

test("an answer is its tokens, and in the end the text that was stored", () => {
  const socket = ask();
  socket
    .say({ type: "start", message: "m", seq: 2 })
    .say({ type: "token", message: "m", text: "Go", seq: 3 });
  assert.deepEqual(texts(), ["Hello?", "Go"]);
  assert.equal(chat.state.messages[1]?.streaming, true);
  socket.say({ type: "end", message: "m", seq: 4, text: "Good.", citations: [], grounded: true });
  assert.deepEqual(texts(), ["Hello?", "Good."]);
  assert.equal(chat.state.messages[1]?.streaming, false);
});

test("frames out of order are shown in order", () => {
  const socket = ask();
  socket.say({ type: "token", message: "m", text: "b", seq: 4 });
  socket.say({ type: "token", message: "m", text: "a", seq: 3 });
  assert.deepEqual(texts(), ["Hello?"]);
  socket.say({ type: "start", message: "m", seq: 2 });
  assert.deepEqual(texts(), ["Hello?", "ab"]);
});

test("a frame that comes twice is shown once", () => {
  const socket = ask();
  const frame = { type: "token", message: "m", text: "a", seq: 3 };
  socket.say({ type: "start", message: "m", seq: 2 }).say(frame).say(frame);
  assert.deepEqual(texts(), ["Hello?", "a"]);
});

test("a hole in the numbering is asked for, once, and then accepted", () => {
  ask().say({ type: "start", message: "m", seq: 3 });
  tick(GAP_MS);
  const again = FakeSocket.latest.accept();
  assert.equal(again.sent[0]?.last_seq, 1);
  again.welcome({ seq: 3 }).say({ type: "start", message: "m", seq: 3 });
  tick(GAP_MS);
  assert.equal(FakeSocket.all.length, 2);
  assert.equal(chat.state.messages.length, 2);
});

test("a resumed answer goes on where it was", () => {
  const socket = ask();
  socket
    .say({ type: "start", message: "m", seq: 2 })
    .say({ type: "token", message: "m", text: "One ", seq: 3 });
  socket.drop();
  tick(1000);
  const again = FakeSocket.latest.welcome({ seq: 5 });
  assert.deepEqual(
    { conversation: again.sent[0]?.conversation, last_seq: again.sent[0]?.last_seq },
    { conversation: "c1", last_seq: 3 },
  );
  again.say({ type: "token", message: "m", text: "two", seq: 4 });
  assert.deepEqual(texts(), ["Hello?", "One two"]);
});

test("a history replaces what is shown, and keeps what is not yet stored", () => {
  const socket = ask();
  chat.send("And now?");
  socket.drop();
  tick(1000);
  const history = [{ message: "v1", author: { kind: "visitor" }, text: "Hello?", seq: 1 }];
  FakeSocket.latest.welcome({ seq: 7, history });
  assert.deepEqual(texts(), ["Hello?", "And now?"]);
});

test("a message is sent again under its own id until it is acknowledged", () => {
  chat.connect();
  const socket = FakeSocket.latest.welcome();
  chat.send("Hello?");
  tick(10_000);
  const [first, second] = socket.ofType("message");
  assert.deepEqual(first, second);
  socket.say({ type: "ack", client_id: first?.client_id, message: "v1", seq: 1 });
  tick(60_000);
  assert.equal(socket.ofType("message").length, 2);
  assert.equal(chat.state.messages[0]?.status, "stored");
});

test("an ack whose place was shown long ago still settles its message", () => {
  chat.connect();
  const socket = FakeSocket.latest.welcome({
    seq: 9,
    history: [{ message: "v1", author: { kind: "visitor" }, text: "Hello?", seq: 1 }],
  });
  chat.send("Hello?");
  const [sent] = socket.ofType("message");
  socket.say({ type: "ack", client_id: sent?.client_id, message: "v1", seq: 1 });
  assert.deepEqual(texts(), ["Hello?"]);
});

test("what was written offline is sent in order after the welcome", () => {
  chat.send("one");
  chat.send("two");
  const socket = FakeSocket.latest.welcome();
  assert.deepEqual(
    socket.ofType("message").map((frame) => frame.text),
    ["one", "two"],
  );
});

test("what was not acknowledged survives a new page in the same tab", () => {
  chat.send("one");
  chat.destroy();
  areas.sessionStorage.setItem(KEY, JSON.stringify({ unsent: [{ client_id: "id-1", text: "one" }] }));
  chat = newChat();
  chat.connect();
  assert.deepEqual(FakeSocket.latest.welcome().ofType("message")[0], {
    type: "message",
    client_id: "id-1",
    text: "one",
  });
});

test("a pause that the server asks for holds the message and all behind it", () => {
  chat.connect();
  const socket = FakeSocket.latest.welcome();
  chat.send("one");
  const [{ client_id }] = socket.ofType("message") as [{ client_id: string }];
  socket.say({ type: "error", code: "rate_limited", detail: "Slow down.", client_id, retry_after: 5 });
  chat.send("two");
  tick(4_900);
  assert.equal(socket.ofType("message").length, 1);
  tick(200);
  assert.deepEqual(
    socket.ofType("message").map((frame) => frame.text),
    ["one", "one", "two"],
  );
});

test("a refused message is marked, not sent again, and can be", () => {
  chat.connect();
  const socket = FakeSocket.latest.welcome();
  chat.send("one");
  const [{ client_id }] = socket.ofType("message") as [{ client_id: string }];
  socket.say({ type: "error", code: "unavailable", detail: "Later.", client_id });
  tick(60_000);
  assert.equal(socket.ofType("message").length, 1);
  const [message] = chat.state.messages;
  assert.equal(message?.status, "failed");
  if (message) chat.resend(message);
  assert.equal(socket.ofType("message").length, 2);
});

test("a message from another tab brings the history", () => {
  ask().say({ type: "ack", client_id: "of-another-tab", message: "v2", seq: 2 });
  assert.equal("last_seq" in (FakeSocket.latest.accept().sent[0] ?? {}), false);
});

test("a bad token is dropped, with its conversation", () => {
  ask().drop(4401);
  tick(0);
  const hello = FakeSocket.latest.accept().sent[0] ?? {};
  assert.equal("visitor" in hello || "conversation" in hello, false);
});

test("a silent line is given up and dialled again", () => {
  const socket = ask();
  tick(25_000);
  assert.equal(socket.ofType("ping").length, 1);
  tick(10_000);
  assert.equal(chat.state.link, "offline");
  tick(1_000);
  assert.equal(FakeSocket.all.length, 2);
});

test("an answer that stops in its middle is asked for again", () => {
  ask().say({ type: "start", message: "m", seq: 2 }).say({ type: "token", message: "m", text: "Go", seq: 3 });
  tick(24_000);
  assert.equal(FakeSocket.all.length, 1);
  tick(1_000);
  const socket = FakeSocket.latest.accept();
  assert.equal(FakeSocket.all.length, 2);
  assert.equal(socket.sent[0]?.last_seq, 3);
  socket.welcome().say({ type: "end", message: "m", seq: 4, text: "Go on." });
  assert.equal(chat.state.messages[1]?.text, "Go on.");
  tick(25_000);
  assert.equal(socket.ofType("ping").length, 1);
});

test("each close code has its answer", () => {
  const none = () => 0;
  const full = () => 1;
  assert.equal(afterClose(4403, 0, none), null);
  assert.equal(afterClose(4404, 0, none), null);
  assert.equal(afterClose(4401, 0, full), 0);
  assert.ok((afterClose(4401, 5, none) ?? 0) > 1000);
  assert.ok((afterClose(1012, 9, full) ?? 9e9) <= 2000);
  assert.ok((afterClose(4429, 0, none) ?? 0) >= 15_000);
  assert.deepEqual(
    [0, 1, 2, 20].map((attempt) => afterClose(1006, attempt, full)),
    [500, 1000, 2000, 30_000],
  );
});

test("frames that are no frames are ignored", () => {
  const socket = ask();
  for (const text of ["", "{", "null", "[]", '{"type":"surprise"}', '{"type":1}']) socket.say(text);
  socket.say({ type: "start", message: "m", seq: 2 });
  assert.equal(chat.state.messages.length, 2);
});

test("a numbered frame of a later protocol keeps its place and shows nothing", () => {
  ask().say({ type: "surprise", seq: 2 }).say({ type: "start", message: "m", seq: 3 });
  tick(GAP_MS);
  assert.equal(chat.state.messages.length, 2);
  assert.equal(FakeSocket.all.length, 1);
});

test("what is seen is told, once for each new number", () => {
  const socket = ask();
  const told = () => socket.ofType("read").map((frame) => frame.seq);
  socket.say({ type: "start", message: "m", seq: 2 });
  socket.say({ type: "token", message: "m", text: "a", seq: 3 });
  socket.say({ type: "end", message: "m", seq: 4, text: "a" });
  chat.markRead();
  assert.deepEqual(told(), [1, 2, 4]);
  visible = false;
  socket.say({ type: "message", message: "n", author: { kind: "human" }, text: "Hi!", seq: 5 });
  assert.deepEqual(told(), [1, 2, 4]);
});

test("a message carries the ids of its files, across a lost line too", () => {
  chat.state.uploads = [
    {
      file: new File(["x"], "a.png"),
      progress: 1,
      done: { id: "f1", name: "a.png", type: "image/png", size: 1, url: "" },
    },
  ];
  chat.send("");
  const socket = FakeSocket.latest.welcome();
  socket.drop();
  tick(1000);
  const again = FakeSocket.latest.welcome();
  for (const line of [socket, again]) assert.deepEqual(line.ofType("message")[0]?.attachments, ["f1"]);
});

test("deleting one's data leaves nothing behind, and says so", () => {
  const socket = ask();
  chat.request({ type: "forget" });
  socket.say({ type: "done", what: "forget", receipt: "r1" });
  assert.equal(areas.localStorage.values.size + areas.sessionStorage.values.size, 0);
  assert.equal(chat.state.done?.receipt, "r1");
  assert.deepEqual(texts(), []);
});

test("a refused identity is told to the page, which can sign anew", () => {
  chat.identity = { user_id: "u1", hash: "old", expires: 1 };
  chat.connect();
  FakeSocket.latest.accept().drop(4401);
  tick(0);
  assert.equal("identity" in (FakeSocket.latest.accept().sent[0] ?? {}), false);
  assert.equal(
    events.some(([name, detail]) => name === "error" && (detail as { code: string }).code === "identity"),
    true,
  );
});

test("a person who writes is the one that the header shows", () => {
  const socket = ask().say({ type: "state", state: "human", seq: 2 });
  socket.say({
    type: "message",
    message: "m",
    author: { kind: "human", name: "Grace" },
    text: "Hi!",
    seq: 3,
  });
  assert.deepEqual(
    [chat.state.phase, chat.state.person?.name, chat.state.thinking],
    ["human", "Grace", false],
  );
});

test("what comes while the panel is shut counts as unread", () => {
  const socket = ask();
  visible = false;
  socket.say({ type: "message", message: "m", author: { kind: "human" }, text: "Hi!", seq: 2 });
  assert.equal(chat.state.unread, 1);
  chat.markRead();
  assert.equal(chat.state.unread, 0);
  assert.equal(kept().read, 2);
});

test("no answer for a long time is said, and the dots end", () => {
  ask();
  assert.equal(chat.state.thinking, true);
  tick(45_000);
  assert.equal(chat.state.thinking, false);
  assert.equal(chat.state.notice?.code, "slow");
});

test("nothing is stored before the visitor's first act, and nothing without consent", () => {
  for (const manner of [{ unlocked: false }, { unlocked: true, allowed: false }]) {
    installBrowser();
    chat = newChat(manner);
    chat.connect();
    FakeSocket.latest.welcome();
    chat.send("one");
    assert.equal(areas.localStorage.values.size + areas.sessionStorage.values.size, 0);
  }
});

test("forgetting leaves nothing behind", () => {
  ask();
  assert.equal(kept().visitor, "token");
  chat.forget();
  assert.equal(areas.localStorage.values.size + areas.sessionStorage.values.size, 0);
  assert.deepEqual(texts(), []);
});

test("a new conversation keeps the visitor", () => {
  ask();
  chat.startOver();
  const hello = FakeSocket.latest.accept().sent[0] ?? {};
  assert.equal(hello.visitor, "token");
  assert.equal("conversation" in hello || "last_seq" in hello, false);
});
