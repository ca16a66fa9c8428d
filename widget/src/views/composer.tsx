import { MAX_TEXT } from "../protocol.ts";
import { h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { Clip, Uploads } from "./attachments.tsx";
import { Icon, IconButton, Out } from "./icons.tsx";

const LINES_PX = 140;

export function Composer(widget: Widget) {
  const { t, chat } = widget;
  const { messages, link, uploads } = chat.state;
  const text = widget.ui.draft;
  const answering = messages.some((message) => message.streaming);
  const left = MAX_TEXT - [...text].length;
  const arrived = uploads.length > 0 && uploads.every(({ done }) => done);
  const sendable = (uploads.length ? arrived : text.trim() !== "") && left >= 0 && link !== "refused";
  const send = () => {
    if (!sendable) return;
    if (widget.leadFirst()) return widget.setSheet("lead");
    widget.ui.draft = "";
    widget.say(text.trim());
    widget.afterDraw(() => widget.find("textarea")?.focus());
  };
  const onKey = (event: KeyboardEvent) => {
    // During composition Enter picks a character (Japanese, Chinese, Korean).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <div class="bottom">
      {NoticeLine(widget)}
      {Uploads(widget)}
      <div class="composer">
        <textarea
          ref={grow}
          rows={1}
          value={text}
          dir={text ? "auto" : undefined}
          placeholder={t("placeholder")}
          aria-label={t("placeholder")}
          disabled={link === "refused"}
          enterkeyhint="send"
          onInput={(event) => {
            widget.ui.draft = event.currentTarget.value;
            chat.typing();
            widget.changed();
            grow(event.currentTarget);
          }}
          onKeyDown={onKey}
        />
        {Clip(widget)}
        {answering && !sendable ? (
          <IconButton class="send" label={t("stop")} icon="stop" act={() => chat.stop()} />
        ) : (
          <button class="send" aria-label={t("send")} disabled={!sendable} onClick={send}>
            <Icon name="send" />
          </button>
        )}
      </div>
      {left < 0 && (
        <small class="over" role="alert">
          {t("too_long", { over: -left })}
        </small>
      )}
      {Foot(widget)}
    </div>
  );
}

/** Something went wrong that belongs to no message: what, and the next step. */
export function NoticeLine(widget: Widget) {
  const { t, chat, config } = widget;
  const { notice } = chat.state;
  if (!notice) return null;
  const seconds = Math.ceil(((notice.until ?? 0) - Date.now()) / 1000);
  const text = notice.code === "slow" ? t("slow") : notice.detail;
  return (
    <div class="notice" role="alert">
      <Icon name="warn" size={18} />
      <p>
        {text} {seconds > 0 && <span aria-live="off">{t("wait", { seconds })}</span>}
        {notice.code === "quota_exceeded" && config.leads && t("quota")}
      </p>
      {notice.code === "quota_exceeded" && config.leads && (
        <button class="link" onClick={() => widget.setSheet("lead")}>
          {t("lead")}
        </button>
      )}
      <IconButton label={t("dismiss")} icon="close" size={16} act={() => chat.notify()} />
    </div>
  );
}

export function Foot(widget: Widget) {
  const { t, config } = widget;
  return (
    <p class="foot">
      {config.privacy_url && <Out href={config.privacy_url}>{t("privacy")}</Out>}{" "}
      {config.branding !== false && (
        <span>
          {t("powered")} <b>NETVEXA</b>
        </span>
      )}
    </p>
  );
}

function grow(field: HTMLTextAreaElement | null): void {
  if (!field) return;
  field.style.height = "auto";
  if (field.scrollHeight) field.style.height = `${Math.min(field.scrollHeight, LINES_PX)}px`;
}
