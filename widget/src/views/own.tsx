import type { Message } from "../message.ts";
import { h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { Attachments } from "./attachments.tsx";
import { Icon } from "./icons.tsx";

/** What the visitor wrote, and whether it has arrived. */
export function OwnMessage({ widget, message }: { widget: Widget; message: Message }) {
  const { t, chat } = widget;
  const { status, error, seq } = message;
  const { messages, phase, seen } = chat.state;
  const last = messages.filter(({ author }) => author.kind === "visitor").at(-1) === message;
  const waiting = status === "sending" && chat.state.link !== "online";
  return (
    <div class={`entry visitor ${status}`}>
      <div class="body">
        <span class="sr">{t("said", { name: t("you") })}</span>
        {message.text && (
          <p class="bubble" dir="auto">
            {message.text}
          </p>
        )}
        <Attachments files={message.attachments} />
        {status === "sending" && <small>{t(waiting ? "queued" : "sending")}</small>}
        {last && seq <= seen && phase !== "bot" && <small>{t("seen")}</small>}
        {status === "failed" && (
          <div class="failed" role="alert">
            <p>
              <Icon name="warn" size={16} /> {error?.detail}
            </p>
            {error?.code === "quota_exceeded" && widget.config.leads && (
              <button class="link" onClick={() => widget.setSheet("lead")}>
                {t("lead")}
              </button>
            )}
            {/^(unavailable|rate_limited)$/.test(error?.code ?? "") && (
              <button class="link" onClick={() => chat.resend(message)}>
                {t("send_again")}
              </button>
            )}
            <button class="link" onClick={() => chat.discard(message)}>
              {t("discard")}
            </button>
          </div>
        )}
      </div>
    </div>
  );
}
