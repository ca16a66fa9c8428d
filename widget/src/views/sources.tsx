import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Message } from "../chat.ts";
import { quotedUrl } from "../cite.ts";
import type { Citation } from "../protocol.ts";
import type { Widget } from "../widget.ts";
import { Icon } from "./icons.tsx";

interface Props {
  widget: Widget;
  message: Message;
  /** The number whose chip was pressed, 0 for none. */
  shown: number;
  hide(): void;
}

export function Sources({ widget, message, shown, hide }: Props) {
  const { t } = widget;
  const [open, setOpen] = useState(false);
  const list = useRef<HTMLOListElement>(null);
  const id = `sources-${message.id}`;
  useEffect(() => {
    if (!shown) return;
    setOpen(true);
    const source = list.current?.querySelector<HTMLElement>(`[data-n="${shown}"]`);
    source?.focus();
    source?.scrollIntoView({ block: "nearest" });
  }, [shown, open]);
  return (
    <div class="sources">
      <button
        type="button"
        class="pill"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => {
          hide();
          setOpen(!open);
        }}
      >
        <Icon name="book" size={16} />
        {t("sources")} <b>{message.citations.length}</b>
      </button>
      <ol id={id} ref={list} hidden={!open}>
        {message.citations.map((citation) => (
          <Source key={citation.n} widget={widget} citation={citation} marked={citation.n === shown} />
        ))}
      </ol>
    </div>
  );
}

function Source({ widget, citation, marked }: { widget: Widget; citation: Citation; marked: boolean }) {
  const { t } = widget;
  const { n, title, snippet } = citation;
  const url = quotedUrl(citation.url, snippet);
  return (
    <li class={marked ? "marked" : ""} data-n={n} tabIndex={-1}>
      <span class="n" aria-hidden="true">
        {n}
      </span>
      <div>
        <strong dir="auto">{title}</strong>
        <blockquote dir="auto">{snippet}</blockquote>
        {url && (
          <a href={url} target="_blank" rel="noopener noreferrer">
            {t("open_source")}
            <span class="sr"> ({t("new_tab")})</span>
            <Icon name="out" size={14} />
          </a>
        )}
      </div>
    </li>
  );
}
