import { save } from "../files.ts";
import { said } from "../hours.ts";
import { Fragment, h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { NoticeLine } from "./composer.tsx";
import { Out } from "./icons.tsx";
import { LeadSheet } from "./lead.tsx";

interface Props {
  widget: Widget;
}

const SHEETS = { lead: LeadSheet, past: PastSheet, transcript: TranscriptSheet, data: DataSheet };

/** What the visitor has called up in place of the message field. */
export function Sheet(widget: Widget) {
  if (widget.sheet === "none") return null;
  const View = SHEETS[widget.sheet];
  return View(widget);
}

function Frame({ widget, title, children }: Props & { title: string; children?: unknown }) {
  return (
    <section class="sheet" aria-label={title} tabIndex={-1}>
      {NoticeLine(widget)}
      <h3>{title}</h3>
      {children as never}
      <div class="row">
        <button class="plain" onClick={() => widget.setSheet("none")}>
          {widget.t("back")}
        </button>
      </div>
    </section>
  );
}

/** The visitor's conversations, newest first. */
function PastSheet(widget: Widget) {
  const { t, chat, conversation } = widget;
  const { past } = chat.state;
  return (
    <Frame widget={widget} title={t("past")}>
      <ul class="past" aria-busy={!past}>
        {past?.map(({ conversation: id, title, preview, at, unread }) => (
          <li key={id}>
            <button
              aria-current={id === conversation || undefined}
              onClick={() => (id === conversation ? widget.setSheet("none") : widget.startOver(id))}
            >
              <b dir="auto">{title || preview || t("conversation")}</b>
              {Boolean(unread) && <i class="count">{t("unread", { count: unread ?? 0 })}</i>}
              <small>
                {at && said(Date.parse(at), Date.now(), widget.translator.locale)}
                {title && preview && ` · ${preview}`}
              </small>
            </button>
          </li>
        ))}
      </ul>
      <button class="solid" onClick={() => widget.startOver()}>
        {t("new")}
      </button>
    </Frame>
  );
}

/** The conversation by e-mail, or as a file that is made in the browser. */
function TranscriptSheet(widget: Widget) {
  const { t, chat, config } = widget;
  const submit = (event: Event) => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLElement).querySelector("input");
    if (field?.reportValidity()) chat.request({ type: "transcript", email: field.value.trim() });
  };
  return (
    <Frame widget={widget} title={t("transcript")}>
      {config.transcript && (
        <form class="pair" onSubmit={submit}>
          <label>
            {t("email")}
            <input type="email" required autocomplete="email" maxLength={200} />
          </label>
          <button type="submit" class="solid">
            {t("submit")}
          </button>
        </form>
      )}
      {chat.state.done && <p role="status">{t("mailed")}</p>}
      <button class="plain" onClick={() => saveTranscript(widget)}>
        {t("save_file")}
      </button>
    </Frame>
  );
}

function saveTranscript({ chat, t, start }: Widget): void {
  const lines = chat.state.messages.map(({ author, text, citations, attachments }) => {
    const who = author.kind === "visitor" ? t("you") : (author.name ?? chat.state.name);
    const sources = citations.map(({ n, title, url }) => `  [${n}] ${title} ${url ?? ""}`);
    return [`${who}: ${text}`, ...attachments.map(({ name }) => `  ${name}`), ...sources].join("\n");
  });
  save(new Blob([lines.join("\n\n")], { type: "text/plain" }), `${chat.state.name}.txt`, start.shadow);
}

/** What is kept of the visitor, and how to have it or have it deleted. */
function DataSheet(widget: Widget) {
  const { t, chat, config, ui } = widget;
  const { done } = chat.state;
  const erase = () => {
    if (ui.sure) chat.request({ type: "forget" });
    ui.sure = true;
    widget.changed();
  };
  return (
    <Frame widget={widget} title={t("data")}>
      {done ? (
        <p role="status">
          {t("erased")} {done.receipt && <small>{done.receipt}</small>}
        </p>
      ) : (
        <Fragment>
          <p>{t("data_intro")}</p>
          {config.privacy_url && <Out href={config.privacy_url}>{t("privacy")}</Out>}
          <button class="plain" onClick={() => download(widget)}>
            {t("download")}
          </button>
          {ui.sure && <p role="alert">{t("erase_sure")}</p>}
          <button class={ui.sure ? "solid" : "plain"} onClick={erase}>
            {t("erase")}
          </button>
        </Fragment>
      )}
    </Frame>
  );
}

async function download({ chat, t, start, visitor }: Widget): Promise<void> {
  try {
    const headers = { Authorization: `Bearer ${visitor}` };
    const answer = await fetch(chat.address("data"), { headers, credentials: "omit" });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    save(await answer.blob(), `${chat.state.name}.json`, start.shadow);
  } catch (error) {
    chat.notify((error instanceof TypeError ? "" : (error as Error).message) || t("failed"));
  }
}
