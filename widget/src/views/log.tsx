import type { Message } from "../message.ts";
import { h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { AnswerView } from "./answer.tsx";
import { Face } from "./face.tsx";
import { IconButton } from "./icons.tsx";
import { OwnMessage } from "./own.tsx";

/** How near to its end the log counts as being read at the end, and from how far away a way back is shown, in px. */
const NEAR = 60;
const FAR = 300;

export function Log(widget: Widget) {
  const { t, chat } = widget;
  const { messages, thinking, typing, name } = chat.state;
  return (
    <div class="log-box">
      <div
        ref={(log) => follow(log, widget)}
        class="log"
        role="log"
        aria-live="off"
        aria-label={t("conversation")}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reached by keyboard
        tabIndex={0}
        onScroll={(event) => onScroll(event.currentTarget, widget)}
      >
        {Welcome(widget)}
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
      {widget.ui.away && (
        <IconButton label={t("latest")} icon="down" act={() => toEnd(widget.find(".log"))} />
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

function Welcome(widget: Widget) {
  const { t, chat } = widget;
  const { greeting, suggestions, name, avatar, messages, phase } = chat.state;
  const face = <Face name={name} avatar={avatar} />;
  if (messages.length)
    return (
      <div class="entry first">
        {face}
        <p class="bubble" dir="auto">
          {greeting}
        </p>
      </div>
    );
  return (
    <div class="welcome">
      {face}
      <p dir="auto">{greeting}</p>
      <small>{t("assistant_note")}</small>
      {phase === "bot" && suggestions.length > 0 && (
        <ul aria-label={t("suggestions")}>
          {suggestions.map((question) => (
            <li key={question}>
              <button dir="auto" onClick={() => widget.say(question)}>
                {question}
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
      <div class="bubble dots" role="img" aria-label={label}>
        <i />
        <i />
        <i />
      </div>
    </div>
  );
}

/** Keeps the end in view while it is being written, unless the visitor has scrolled up to read. */
function follow(log: HTMLElement | null, { ui, chat }: Widget): void {
  if (!log) return;
  const own = chat.state.messages.filter((message) => message.author.kind === "visitor").length;
  // What the visitor has just written is always shown.
  if (own > ui.ownSeen) ui.stuck = true;
  ui.ownSeen = own;
  if (ui.stuck) toEnd(log);
}

function toEnd(log: HTMLElement | null): void {
  if (log) log.scrollTop = log.scrollHeight;
}

function onScroll(log: HTMLElement, widget: Widget): void {
  const { ui } = widget;
  const below = log.scrollHeight - log.scrollTop - log.clientHeight;
  ui.stuck = below < NEAR;
  if (Boolean(ui.away) === below > FAR) return;
  ui.away = below > FAR;
  widget.changed();
}
