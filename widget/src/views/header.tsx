import type { Key } from "../i18n.ts";
import { h } from "../vdom.ts";
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
  const { t, ui } = widget;
  const items = entries(widget);
  if (!items.length) return null;
  const label = t("menu");
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears the keys of the menu inside
    <div class="menu" onKeyDown={(event) => ui.menu && onMenuKey(event, widget)}>
      <button
        type="button"
        class="icon-button"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={ui.menu}
        onClick={() => (ui.menu ? shut(widget) : openMenu(widget))}
      >
        <Icon name="more" />
      </button>
      {ui.menu && (
        <div role="menu" aria-label={label}>
          {items.map(({ key, icon, act }) => (
            <button
              type="button"
              role="menuitem"
              tabIndex={-1}
              key={key}
              onClick={() => {
                shut(widget);
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

function openMenu(widget: Widget): void {
  widget.ui.menu = true;
  widget.afterDraw(() => widget.find("[role=menuitem]")?.focus());
}

function shut(widget: Widget): void {
  widget.ui.menu = false;
  widget.find(".menu button")?.focus();
  widget.changed();
}

function onMenuKey(event: KeyboardEvent, widget: Widget): void {
  const items = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=menuitem]")];
  const at = items.indexOf(widget.start.shadow.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (to !== undefined) items.at(to % items.length)?.focus();
  else if (event.key === "Escape" || event.key === "Tab") shut(widget);
  else return;
  event.preventDefault();
  event.stopPropagation();
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
