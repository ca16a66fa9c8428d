import { h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { IconButton } from "./icons.tsx";

/** A word to a visitor who has not asked yet, beside the bubble. */
export function Teaser(widget: Widget) {
  const { teaser, t, config } = widget;
  return (
    <div role="status">
      {teaser && (
        <div class={`teaser ${config.theme?.position === "left" ? "at-left" : ""}`}>
          <button dir="auto" onClick={() => widget.answerTeaser(true)}>
            {teaser.text}
          </button>
          <IconButton label={t("dismiss")} icon="close" size={16} act={() => widget.answerTeaser(false)} />
        </div>
      )}
    </div>
  );
}
