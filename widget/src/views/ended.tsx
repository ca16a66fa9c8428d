import { Fragment, h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { Foot } from "./composer.tsx";
import { Icon } from "./icons.tsx";

const SCORES = [1, 2, 3, 4, 5];

/** After the end: how it was, and a way to begin again. */
export function Ended({ widget }: { widget: Widget }) {
  const { t, chat, config } = widget;
  return (
    <div class="bottom ended">
      <p>{t("closed")}</p>
      {chat.state.rated ? (
        <p role="status">{t("thanks")}</p>
      ) : (
        config.rating !== false && <Rating widget={widget} />
      )}
      <button class="solid wide" onClick={() => widget.startOver()}>
        {t("new")}
      </button>
      <Foot widget={widget} />
    </div>
  );
}

function Rating({ widget }: { widget: Widget }) {
  const { t, chat, ui } = widget;
  const { score } = ui;
  const choose = (n: number) => {
    ui.score = n;
    widget.changed();
  };
  const submit = (event: Event) => {
    event.preventDefault();
    chat.rate(score, (event.currentTarget as HTMLElement).querySelector("textarea")?.value.trim());
  };
  return (
    <form class="rating" onSubmit={submit}>
      <fieldset>
        <legend>{t("rate")}</legend>
        {SCORES.map((n) => (
          <label key={n} class={n <= score ? "lit" : ""}>
            <input
              type="radio"
              name="score"
              class="sr"
              checked={n === score}
              aria-label={t("rate_n", { n })}
              onChange={() => choose(n)}
            />
            <Icon name="star" size={28} />
          </label>
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
