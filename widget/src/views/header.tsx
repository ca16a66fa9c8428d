import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Key } from "../i18n.ts";
import type { Widget } from "../widget.ts";
import { Face } from "./face.tsx";
import { Icon } from "./icons.tsx";

export function Header({ widget }: { widget: Widget }) {
  const { t, chat } = widget;
  const { phase, person, name, avatar } = chat.state;
  const human = phase === "human";
  const title = human ? (person?.name ?? t("team_member")) : name;
  return (
    <header>
      <Face name={title} avatar={human ? person?.avatar : avatar} live={human} />
      <div class="who">
        <h2>{title}</h2>
        <p>{human ? t("team_member") : t("assistant")}</p>
      </div>
      <Menu widget={widget} />
      <button type="button" class="icon-button" aria-label={t("close")} onClick={() => widget.close()}>
        <Icon name={widget.phone ? "close" : "down"} />
      </button>
    </header>
  );
}

interface Entry {
  key: Key;
  icon: Parameters<typeof Icon>[0]["name"];
  act(): void;
}

function entries(widget: Widget): Entry[] {
  const { chat, config } = widget;
  const { phase, messages } = chat.state;
  const begun = messages.length > 0;
  const found: (Entry | false | null | undefined)[] = [
    config.handoff && phase === "bot" && { key: "talk", icon: "person", act: () => chat.handoff() },
    config.leads && { key: "lead", icon: "mail", act: () => widget.setSheet("lead") },
    begun && { key: "transcript", icon: "save", act: () => saveTranscript(widget) },
    begun && { key: "new", icon: "plus", act: () => widget.startOver() },
    begun && phase !== "closed" && { key: "end", icon: "end", act: () => chat.end() },
  ];
  return found.filter((entry): entry is Entry => Boolean(entry));
}

function Menu({ widget }: { widget: Widget }) {
  const { t } = widget;
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const items = entries(widget);
  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const away = (event: Event) =>
      event.composedPath().includes(box.current as EventTarget) || setOpen(false);
    widget.start.shadow.addEventListener("pointerdown", away);
    return () => widget.start.shadow.removeEventListener("pointerdown", away);
  }, [open]);
  if (!items.length) return null;
  const shut = () => {
    setOpen(false);
    box.current?.querySelector("button")?.focus();
  };
  return (
    <div class="menu" ref={box} onKeyDown={(event) => open && onMenuKey(event, box.current, shut)}>
      <button
        type="button"
        class="icon-button"
        aria-label={t("menu")}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="more" />
      </button>
      {open && (
        <div role="menu" aria-label={t("menu")}>
          {items.map(({ key, icon, act }) => (
            <button
              type="button"
              role="menuitem"
              tabIndex={-1}
              key={key}
              onClick={() => {
                shut();
                act();
              }}
            >
              <Icon name={icon} size={18} />
              {t(key)}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function onMenuKey(event: KeyboardEvent, box: HTMLElement | null, shut: () => void): void {
  const items = [...(box?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  const at = items.indexOf((event.currentTarget as HTMLElement).querySelector(":focus") as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    items.at(to % items.length)?.focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    shut();
  }
}

/** The conversation as a text file, made in the browser. */
function saveTranscript({ chat, t, start }: Widget): void {
  const lines = chat.state.messages.map(({ author, text, citations }) => {
    const who = author.kind === "visitor" ? t("you") : (author.name ?? chat.state.name);
    const sources = citations.map(({ n, title, url }) => `  [${n}] ${title}${url ? ` ${url}` : ""}`);
    return [`${who}: ${text}`, ...sources].join("\n");
  });
  const url = URL.createObjectURL(
    new Blob([`${lines.join("\n\n")}\n`], { type: "text/plain;charset=utf-8" }),
  );
  const link = document.createElement("a");
  link.href = url;
  link.download = `${chat.state.name}.txt`;
  start.shadow.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
