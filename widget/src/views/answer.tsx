import type { Key } from "../i18n.ts";
import { MarkdownView } from "../markdown.ts";
import type { Message } from "../message.ts";
import { Fragment, h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { Attachments } from "./attachments.tsx";
import { IconButton } from "./icons.tsx";
import { cite, Sources } from "./sources.tsx";

interface Props {
  widget: Widget;
  message: Message;
}

/** A message of the agent or of the team: its text as it is written, then what can be done with it. */
export function AnswerView({ widget, message }: Props) {
  const done = message.author.kind === "bot" && !message.streaming;
  return (
    <Fragment>
      <div class={`bubble text ${message.streaming ? "streaming" : ""}`} hidden={!message.text}>
        <div ref={(box) => showText(box, widget, message)} />
      </div>
      <Attachments files={message.attachments} />
      {message.citations.length > 0 && <Sources widget={widget} message={message} />}
      {done && <Ending widget={widget} message={message} />}
      {done && message.text && <Actions widget={widget} message={message} />}
    </Fragment>
  );
}

interface Shown extends Pick<Message, "text" | "streaming" | "citations"> {
  view: MarkdownView;
}

const shown = new WeakMap<HTMLElement, Shown>();

/** Bring a box up to date with its message; the views are drawn far more often than a text changes. */
function showText(box: HTMLElement | null, widget: Widget, message: Message): void {
  if (!box) return;
  const { text, streaming, citations } = message;
  const old = shown.get(box);
  if (old?.text === text && old.streaming === streaming && old.citations === citations) return;
  const view = old?.view ?? new MarkdownView(box);
  shown.set(box, { text, streaming, citations, view });
  view.show(text, { open: streaming, chip: (n) => makeChip(n, widget, message) });
  announce(widget, message, box);
}

/** A mark whose source is not among the answer's would lead nowhere, so it is left out once the sources are known. */
function makeChip(n: number, widget: Widget, message: Message): Node {
  const { streaming, citations } = message;
  const citation = citations.find((other) => other.n === n);
  if (!streaming && !citation) return document.createTextNode("");
  const chip = document.createElement("button");
  chip.type = "button";
  chip.className = "chip";
  chip.textContent = String(n);
  chip.title = citation?.title ?? "";
  chip.ariaLabel = widget.t("source", { n, title: chip.title });
  chip.onclick = () => cite(n, widget, message);
  return chip;
}

/** Read out what is finished, without the citation marks. */
function announce({ announcer, open_: open }: Widget, message: Message, box: HTMLElement): void {
  const copy = box.cloneNode(true) as HTMLElement;
  for (const chip of copy.querySelectorAll(".chip")) chip.remove();
  for (const block of copy.querySelectorAll("p, li, h3, h4, pre, tr")) block.append("\n");
  // What is still being written has not ended because its paragraph has no more words yet.
  const text = message.streaming ? (copy.textContent ?? "").trimEnd() : (copy.textContent ?? "");
  const fresh = message.at > Date.now() - 120_000 && open;
  if (fresh) announcer.progress(message.id, text, !message.streaming);
  else announcer.skip(message.id, text);
}

/** How the answer came to its end, where that needs a word, and the next step. */
function Ending({ widget, message }: Props) {
  const { t, chat, config } = widget;
  const last = chat.state.messages.at(-1) === message && chat.state.phase === "bot";
  const { stopped } = message;
  const stuck = last && (!message.grounded || message.stopped === "error");
  if (!stopped && !stuck) return null;
  return (
    <div class="ending">
      {stopped && <small>{t(`stopped_${stopped}` as Key)}</small>}
      {last && (message.stopped === "error" || message.stopped === "visitor") && (
        <button class="pill" onClick={() => chat.askAgain(message)}>
          {t("retry")}
        </button>
      )}
      {stuck && config.handoff && (
        <button class="pill" onClick={() => chat.handoff()}>
          {t("talk")}
        </button>
      )}
      {stuck && config.leads && !chat.state.leadGiven && (
        <button class="pill" onClick={() => widget.setSheet("lead")}>
          {t("lead")}
        </button>
      )}
    </div>
  );
}

function Actions({ widget, message }: Props) {
  const { t, chat } = widget;
  const { feedback = 0, ui } = message;
  const rate = (value: number) => {
    ui.why = value < 0;
    chat.feedback(message, value);
    if (value > 0) widget.announcer.say(t("thanks"));
    else widget.afterDraw(() => widget.find(".why textarea")?.focus());
  };
  const onCopy = async () => {
    await navigator.clipboard.writeText(message.text);
    ui.copied = true;
    widget.announcer.say(t("copied"));
    widget.changed();
  };
  return (
    <Fragment>
      <div class="actions">
        {navigator.clipboard && (
          <IconButton
            label={t(ui.copied ? "copied" : "copy")}
            icon={ui.copied ? "check" : "copy"}
            size={17}
            act={onCopy}
          />
        )}
        <IconButton label={t("good")} icon="up" size={17} pressed={feedback > 0} act={() => rate(1)} />
        <IconButton label={t("bad")} icon="up" size={17} pressed={feedback < 0} act={() => rate(-1)} />
      </div>
      {ui.why && <Why widget={widget} message={message} />}
    </Fragment>
  );
}

function Why({ widget, message }: Props) {
  const { t, chat, announcer } = widget;
  const done = () => {
    message.ui.why = false;
    widget.changed();
  };
  const submit = (event: Event) => {
    event.preventDefault();
    const comment = (event.currentTarget as HTMLElement).querySelector("textarea")?.value.trim();
    if (comment) chat.feedback(message, -1, comment);
    announcer.say(t("thanks"));
    done();
  };
  return (
    <form class="why" onSubmit={submit}>
      <label>
        {t("what_wrong")}
        <textarea rows={2} maxLength={1000} />
      </label>
      <div class="row">
        <button class="plain" onClick={done}>
          {t("back")}
        </button>
        <button type="submit" class="solid">
          {t("submit")}
        </button>
      </div>
    </form>
  );
}
