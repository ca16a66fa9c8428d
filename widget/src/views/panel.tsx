import { Fragment, h } from "../vdom.ts";
import { visibleBox } from "../viewport.ts";
import type { Widget } from "../widget.ts";
import { take } from "./attachments.tsx";
import { Banner } from "./banner.tsx";
import { Composer } from "./composer.tsx";
import { Ended } from "./ended.tsx";
import { Header, shutMenu } from "./header.tsx";
import { LeadSheet } from "./lead.tsx";
import { Log } from "./log.tsx";
import { Sheet } from "./sheets.tsx";
import { Teaser } from "./teaser.tsx";

/** Everything that the app draws: the panel, and what may stand beside the bubble while it is shut. */
export function View(widget: Widget) {
  return (
    <Fragment>
      {Panel(widget)}
      {Teaser(widget)}
    </Fragment>
  );
}

function Panel(widget: Widget) {
  const { chat, config, open_: open, phone, palette } = widget;
  const { height, top } = visibleBox();
  const style = {
    "--brand": palette.brand,
    "--ink": palette.ink,
    "--accent": widget.dark ? palette.accentDark : palette.accentLight,
    "--radius": `${config.theme?.radius ?? 18}px`,
    "--font": config.theme?.font === "inherit" && getComputedStyle(document.body).fontFamily,
    ...(phone && { height: `${height}px`, top: `${top}px` }),
  };
  return (
    <div
      class={`panel ${config.theme?.position === "left" ? "at-left" : ""} ${phone ? "phone" : ""}`}
      role="dialog"
      aria-label={chat.state.name}
      aria-modal={phone || undefined}
      tabIndex={-1}
      hidden={!open}
      lang={widget.translator.locale}
      dir={widget.rtl ? "rtl" : "ltr"}
      data-scheme={widget.dark ? "dark" : "light"}
      style={style}
      onKeyDown={(event) => onKey(event, widget)}
      onClick={(event) => !(event.target as Element).closest(".menu") && widget.ui.menu && shutMenu(widget)}
      onDragOver={(event) => hold(event, widget, true)}
      onDragLeave={(event) => hold(event, widget, false)}
      onDrop={(event) => {
        hold(event, widget, false);
        take(event.dataTransfer?.files, widget);
      }}
      onPaste={(event) => take(event.clipboardData?.files, widget)}
    >
      {Header(widget)}
      {Banner(widget)}
      {Log(widget)}
      {Bottom(widget)}
      {widget.ui.drop && <p class="drop">{widget.t("drop")}</p>}
      <div class="sr" role="status" aria-live="polite" />
    </div>
  );
}

function Bottom(widget: Widget) {
  const { phase } = widget.chat.state;
  if (widget.sheet !== "none") return Sheet(widget);
  if (widget.formOnly && phase === "bot") return LeadSheet(widget);
  if (phase === "closed") return Ended(widget);
  return Composer(widget);
}

/** Files are held over the panel, or no longer. */
function hold(event: DragEvent, widget: Widget, drop: boolean): void {
  if (!widget.config.attachments) return;
  event.preventDefault();
  if (Boolean(widget.ui.drop) === drop) return;
  widget.ui.drop = drop;
  widget.changed();
}

/** Esc shuts the menu, then the panel; on a phone, where the panel covers the page, Tab stays inside. */
function onKey(event: KeyboardEvent, widget: Widget): void {
  if (event.key === "Escape" && !event.defaultPrevented) {
    event.stopPropagation();
    if (!shutMenu(widget)) widget.close();
  } else if (event.key === "Tab" && widget.phone) keepInside(event, widget);
}

function keepInside(event: KeyboardEvent, { start }: Widget): void {
  const panel = event.currentTarget as HTMLElement;
  const stops = [...panel.querySelectorAll<HTMLElement>("button, a[href], input, textarea, [tabindex='0']")];
  const usable = stops.filter((stop) => !stop.matches(":disabled") && stop.getClientRects().length);
  const [first, last] = [usable[0], usable.at(-1)];
  const active = start.shadow.activeElement;
  if (event.shiftKey ? active === first || active === panel : active === last) {
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  }
}
