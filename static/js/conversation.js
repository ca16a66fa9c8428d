// The page of a conversation, live: answers grow as they are written, everything else is fetched anew from the
// server that renders it. Without script or socket the page works by its forms and by looking again.
const page = document.querySelector("[data-conversation]");
const transcript = () => document.getElementById("transcript");
const RETRY = [500, 1000, 2000, 4000, 8000, 15000];
const PING_MS = 25_000;
const TYPING_SHOWN_MS = 4000;

let socket;
let failures = 0;
let looking = 0;
let typingTimer = 0;
let newest = 0;

const send = (frame) => socket?.readyState === WebSocket.OPEN && socket.send(JSON.stringify(frame));

// Look again, once for all that came within a moment.
const lookAgain = () => {
  clearTimeout(looking);
  looking = setTimeout(() => document.body.dispatchEvent(new CustomEvent("conversation:changed")), 80);
};

const tellRead = () => {
  if (newest && document.visibilityState === "visible") send({ type: "read", seq: newest });
};

const showSeen = (seq) => {
  page.dataset.seen = Math.max(Number(page.dataset.seen), seq);
  markSeen();
};

// The last message of the team that the visitor has seen carries the mark.
const markSeen = () => {
  const seen = [...document.querySelectorAll("[data-shown-seq]")].filter(
    (item) => Number(item.dataset.shownSeq) <= Number(page.dataset.seen),
  );
  for (const mark of document.querySelectorAll("[data-seen-mark]")) mark.hidden = true;
  const last = seen.at(-1)?.querySelector("[data-seen-mark]");
  if (last) last.hidden = false;
};

const showTyping = () => {
  const line = document.getElementById("visitor-typing");
  line.hidden = false;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => (line.hidden = true), TYPING_SHOWN_MS);
};

// Answers whose beginning was seen, by message: what is drawn anew from the server does not know them yet.
const written = new Map();
const draw = () => {
  for (const [id, text] of written) {
    const place = document.querySelector(`[data-answer="${CSS.escape(id)}"]`);
    if (place && text) place.textContent = text;
  }
};

const handlers = {
  typing: showTyping,
  read: (frame) => showSeen(frame.seq),
  start(frame) {
    written.set(frame.message, "");
    lookAgain();
  },
  token(frame) {
    if (!written.has(frame.message)) return;
    written.set(frame.message, written.get(frame.message) + frame.text);
    draw();
  },
  end(frame) {
    written.delete(frame.message);
    lookAgain();
  },
  gone() {
    socket.onclose = null;
    socket.close();
    location.assign(page.dataset.list);
  },
  pong() {},
};

const hear = (event) => {
  const frame = JSON.parse(event.data);
  if (typeof frame.seq === "number" && frame.type !== "read") newest = Math.max(newest, frame.seq);
  if (frame.type === "ack" || frame.type === "message") document.getElementById("visitor-typing").hidden = true;
  (handlers[frame.type] ?? lookAgain)(frame);
  tellRead();
};

const connect = () => {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}/ws/v1/team/${page.dataset.conversation}/`);
  socket.onopen = () => {
    failures = 0;
    page.dataset.live = "1";
  };
  socket.onmessage = hear;
  socket.onclose = ({ code }) => {
    delete page.dataset.live;
    if (code === 4403 || code === 4404) return;
    setTimeout(connect, RETRY[Math.min(failures++, RETRY.length - 1)] * (0.75 + Math.random() / 2));
  };
};

let typed = 0;
document.addEventListener("input", (event) => {
  if (event.target.id !== "reply" || Date.now() - typed < 1500) return;
  typed = Date.now();
  send({ type: "typing" });
});
document.addEventListener("visibilitychange", tellRead);

// A reply goes out without leaving the page; Enter with Ctrl or Cmd sends it.
document.addEventListener("keydown", (event) => {
  if (event.target.id !== "reply" || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});
document.addEventListener("change", (event) => {
  if (event.target.id !== "files") return;
  const names = [...event.target.files].map((file) => file.name).join(", ");
  document.getElementById("file-names").textContent = names;
});

const arrived = () => {
  newest = Math.max(newest, Number(transcript().dataset.newest));
  draw();
  markSeen();
  tellRead();
};
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.successful || !detail.elt.matches("[data-reply]")) return;
  detail.elt.reset();
  document.getElementById("file-names").textContent = "";
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "talk") return;
  arrived();
  transcript().lastElementChild?.scrollIntoView({ block: "nearest" });
});

arrived();
connect();
setInterval(() => send({ type: "ping" }), PING_MS);
