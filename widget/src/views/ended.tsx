import { Fragment, h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { Foot } from "./composer.tsx";
import { IconButton } from "./icons.tsx";

const SCORES = [1, 2, 3, 4, 5];

/** After the end: how it was, and a way to begin again. */
export function Ended(widget: Widget) {
  const { t, chat, config } = widget;
  return (
    <div class="bottom ended">
      <p>{t("closed")}</p>
      {chat.state.rated ? <p role="status">{t("thanks")}</p> : config.rating !== false && Rating(widget)}
      <button class="solid" onClick={() => widget.startOver()}>
        {t("new")}
      </button>
      {Foot(widget)}
    </div>
  );
}

function Rating(widget: Widget) {
  const { t, chat, ui } = widget;
  const { score } = ui;
  const submit = (event: Event) => {
    event.preventDefault();
    chat.rate(score, (event.currentTarget as HTMLElement).querySelector("textarea")?.value.trim());
  };
  return (
    <form class="rating" onSubmit={submit}>
      <fieldset>
        <legend>{t("rate")}</legend>
        {SCORES.map((n) => (
          <IconButton
            class={`icon-button ${n <= score ? "lit" : ""}`}
            label={t("rate_n", { n })}
            icon="star"
            size={28}
            pressed={n === score}
            act={() => {
              ui.score = n;
              widget.changed();
            }}
          />
        ))}
      </fieldset>
      {score > 0 && (
        <Fragment>
          <textarea rows={2} maxLength={1000} placeholder={t("comment")} aria-label={t("comment")} />
          <button type="submit" class="plain">
            {t("submit")}
          </button>
        </Fragment>
      )}
    </form>
  );
}
