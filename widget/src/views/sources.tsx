import { quotedUrl } from "../cite.ts";
import type { Message } from "../message.ts";
import type { Citation } from "../protocol.ts";
import { h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { Out } from "./icons.tsx";

interface Props {
  widget: Widget;
  message: Message;
}

/** The list under an answer; shut until a chip or its own button opens it. */
export function Sources({ widget, message }: Props) {
  const { ui, citations, id } = message;
  const list = `sources-${id}`;
  const toggle = () => {
    ui.sources = !ui.sources;
    ui.cited = undefined;
    widget.changed();
  };
  return (
    <div class="sources">
      <button class="pill" aria-expanded={Boolean(ui.sources)} aria-controls={list} onClick={toggle}>
        {widget.t("sources")} <b>{citations.length}</b>
      </button>
      <ol id={list} hidden={!ui.sources}>
        {citations.map((citation) => (
          <Source key={citation.n} widget={widget} citation={citation} marked={citation.n === ui.cited} />
        ))}
      </ol>
    </div>
  );
}

/** Show the source that a chip stands for, and go to it. */
export function cite(n: number, widget: Widget, { ui, id }: Message): void {
  Object.assign(ui, { sources: true, cited: n });
  widget.ui.stuck = false;
  widget.afterDraw(() => {
    const source = widget.find(`#${CSS.escape(`sources-${id}`)} [data-n="${n}"]`);
    source?.focus();
    source?.scrollIntoView({ block: "nearest" });
  });
}

function Source({ widget, citation, marked }: { widget: Widget; citation: Citation; marked: boolean }) {
  const { t } = widget;
  const { n, title, snippet, page, heading } = citation;
  const url = quotedUrl(citation.url, snippet, page);
  const section = heading?.split(" › ").pop();
  return (
    <li class={marked ? "marked" : ""} data-n={n} tabIndex={-1}>
      <span class="n" aria-hidden="true">
        {n}
      </span>
      <div>
        <strong dir="auto">{title}</strong>
        <small>
          {section && section !== title && ` · ${section}`}
          {page && ` · ${t("page", { page })}`}
        </small>
        <blockquote dir="auto">{snippet}</blockquote>
        {url && (
          <Out href={url}>
            {t("open_source")}
            <span class="sr"> ({t("new_tab")})</span>
          </Out>
        )}
      </div>
    </li>
  );
}
