import { h } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Widget } from "../widget.ts";
import { Icon } from "./icons.tsx";

/** A cut shorter than this is no news to the visitor, in ms. */
const NEWS_AFTER_MS = 2_000;

/** One line under the header about the state of things, most pressing first. */
export function Banner({ widget }: { widget: Widget }) {
  const { t, chat } = widget;
  const { link, phase, person, handoffAsked } = chat.state;
  const cut = useLongCut(link === "offline");
  if (link === "refused") return <Line kind="bad" text={t("refused")} />;
  if (cut) return <Line kind="warn" text={t(navigator.onLine === false ? "offline" : "reconnecting")} />;
  if (phase === "waiting") return <Line kind="wait" text={`${t("waiting_title")}. ${t("waiting")}`} />;
  if (phase === "human")
    return <Line kind="human" text={t("human", { name: person?.name ?? t("person") })} />;
  if (handoffAsked && phase === "bot") return <Line kind="wait" text={t("asked")} />;
  return null;
}

function Line({ kind, text }: { kind: "bad" | "warn" | "wait" | "human"; text: string }) {
  return (
    <div class={`banner ${kind}`} role="status">
      {kind === "human" || kind === "wait" ? (
        <Icon name="person" size={18} />
      ) : (
        <Icon name="warn" size={18} />
      )}
      <span>{text}</span>
      {kind === "wait" && <i class="pulse" />}
    </div>
  );
}

function useLongCut(cut: boolean): boolean {
  const [long, setLong] = useState(false);
  useEffect(() => {
    if (!cut) {
      setLong(false);
      return;
    }
    const timer = setTimeout(() => setLong(true), NEWS_AFTER_MS);
    return () => clearTimeout(timer);
  }, [cut]);
  return cut && long;
}
