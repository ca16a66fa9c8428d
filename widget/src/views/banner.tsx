import { said } from "../hours.ts";
import { h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { Icon } from "./icons.tsx";

/** One line under the header about the state of things, most pressing first. */
export function Banner(widget: Widget) {
  const { t, chat } = widget;
  const { link, cut, phase, person, handoffAsked } = chat.state;
  const away = awayText(widget);
  if (link === "refused") return <Line kind="bad" text={t("refused")} />;
  if (cut) return <Line kind="warn" text={t(navigator.onLine === false ? "offline" : "reconnecting")} />;
  if (phase === "waiting")
    return <Line kind="wait" text={`${t("waiting_title")}. ${away || t("waiting")}`} />;
  if (phase === "human")
    return <Line kind="human" text={t("human", { name: person?.name ?? t("person") })} />;
  if (handoffAsked && phase === "bot") return <Line kind="wait" text={t("asked")} />;
  if (away && phase === "bot") return <Line kind="human" text={away} />;
  return null;
}

/** That nobody is there, and when they are back by the visitor's own clock; empty while they are there. */
function awayText({ t, config, presence, translator }: Widget): string {
  if (presence.there) return "";
  const time = presence.back && said(presence.back, Date.now(), translator.locale);
  return `${config.hours?.away || t("away")} ${time ? t("back_at", { time }) : ""}`;
}

function Line({ kind, text }: { kind: "bad" | "warn" | "wait" | "human"; text: string }) {
  return (
    <div class={`banner ${kind}`} role="status">
      <Icon name={kind === "human" || kind === "wait" ? "person" : "warn"} size={18} />
      <span>{text}</span>
    </div>
  );
}
