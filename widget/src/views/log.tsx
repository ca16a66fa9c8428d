import { h } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Message } from "../chat.ts";
import type { Widget } from "../widget.ts";
import { AnswerView } from "./answer.tsx";
import { Face } from "./face.tsx";
import { Icon } from "./icons.tsx";
import { OwnMessage } from "./own.tsx";

/** How near to its end the log counts as being read at the end, in px. */
const NEAR = 60;

export function Log({ widget }: { widget: Widget }) {
  const { t, chat } = widget;
  const { messages, thinking, typing, name } = chat.state;
  const { box, away, follow } = useFollowing(widget);
  return (
    <div class="log-box">
      <div
        ref={box}
        class="log"
        role="log"
        aria-live="off"
        aria-label={t("conversation")}
        tabIndex={0}
        onScroll={follow.onScroll}
      >
        <Welcome widget={widget} />
        {messages.map((message, at) => (
          <Entry
            key={message.clientId ?? message.id}
            widget={widget}
            message={message}
            before={messages[at - 1]}
          />
        ))}
        {thinking && <Dots label={t("thinking")} name={name} avatar={chat.state.avatar} />}
        {typing && (
          <Dots
            label={t("typing", { name: typing.name ?? t("person") })}
            name={typing.name ?? t("person")}
            avatar={typing.avatar}
          />
        )}
      </div>
      {away && (
        <button type="button" class="latest" onClick={follow.toEnd}>
          <Icon name="down" size={16} />
          {t("latest")}
        </button>
      )}
    </div>
  );
}

function Entry({ widget, message, before }: { widget: Widget; message: Message; before?: Message }) {
  const { t, chat } = widget;
  const { kind, name, avatar } = message.author;
  if (kind === "visitor") return <OwnMessage widget={widget} message={message} />;
  if (kind === "system") return <p class="system">{message.text}</p>;
  const human = kind === "human";
  const speaker = human ? (name ?? t("team_member")) : chat.state.name;
  const first = before?.author.kind !== kind || before?.author.name !== name;
  return (
    <div class={`entry ${kind} ${first ? "first" : ""}`}>
      {first && <Face name={speaker} avatar={human ? avatar : chat.state.avatar} />}
      <div class="body">
        {first && human && (
          <span class="speaker" aria-hidden="true">
            {speaker}
          </span>
        )}
        <span class="sr">{t("said", { name: speaker })}</span>
        <AnswerView widget={widget} message={message} />
      </div>
    </div>
  );
}

function Welcome({ widget }: { widget: Widget }) {
  const { t, chat } = widget;
  const { greeting, suggestions, name, avatar, messages, phase } = chat.state;
  const asking = !messages.length && suggestions.length > 0 && phase === "bot";
  return (
    <div class={`welcome ${messages.length ? "" : "fresh"}`}>
      <Face name={name} avatar={avatar} />
      {greeting && <p dir="auto">{greeting}</p>}
      {!messages.length && <small>{t("assistant_note")}</small>}
      {asking && (
        <ul aria-label={t("suggestions")}>
          {suggestions.map((question) => (
            <li key={question}>
              <button type="button" onClick={() => widget.say(question)}>
                <span dir="auto">{question}</span>
                <Icon name="arrow" size={16} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Dots({ label, name, avatar }: { label: string; name: string; avatar?: string }) {
  return (
    <div class="entry bot first">
      <Face name={name} avatar={avatar} />
      <div class="dots" role="img" aria-label={label}>
        <i />
        <i />
        <i />
      </div>
    </div>
  );
}

/** Keeps the end in view while it is being written, unless the visitor has scrolled up to read. */
function useFollowing(widget: Widget) {
  const box = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const own = useRef(0);
  const [away, setAway] = useState(false);
  const toEnd = () => {
    const log = box.current;
    if (log) log.scrollTop = log.scrollHeight;
  };
  const ownCount = widget.chat.state.messages.filter((message) => message.author.kind === "visitor").length;
  useLayoutEffect(() => {
    // What the visitor has just written is always shown.
    if (ownCount > own.current) stuck.current = true;
    own.current = ownCount;
    if (stuck.current) toEnd();
  });
  const onScroll = () => {
    const log = box.current;
    if (!log) return;
    stuck.current = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    if (away === stuck.current) setAway(!stuck.current);
  };
  return { box, away, follow: { onScroll, toEnd } };
}
