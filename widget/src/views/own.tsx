import type { Message } from "../chat.ts";
import { h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { Icon } from "./icons.tsx";

/** What the visitor wrote, and whether it has arrived. */
export function OwnMessage({ widget, message }: { widget: Widget; message: Message }) {
  const { t, chat } = widget;
  const { status, error } = message;
  const waiting = status === "sending" && chat.state.link !== "online";
  return (
    <div class={`entry visitor ${status}`}>
      <div class="body">
        <span class="sr">{t("said", { name: t("you") })}</span>
        <p class="bubble" dir="auto">
          {message.text}
        </p>
        {status === "sending" && <small class="state">{t(waiting ? "queued" : "sending")}</small>}
        {status === "failed" && (
          <div class="failed" role="alert">
            <p>
              <Icon name="warn" size={16} /> {error?.detail || t("not_sent")}
            </p>
            {error?.code === "quota_exceeded" && widget.config.leads && (
              <button type="button" class="link" onClick={() => widget.setSheet("lead")}>
                {t("lead")}
              </button>
            )}
            {(error?.code === "unavailable" || error?.code === "rate_limited") && (
              <button type="button" class="link" onClick={() => chat.resend(message)}>
                {t("send_again")}
              </button>
            )}
            <button type="button" class="link" onClick={() => chat.discard(message)}>
              {t("discard")}
            </button>
          </div>
        )}
      </div>
    </div>
  );
}
