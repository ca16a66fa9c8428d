import type { Key } from "../i18n.ts";
import { h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { Face } from "./face.tsx";
import { IconButton } from "./icons.tsx";

export function Header(widget: Widget) {
  const { t, chat, config } = widget;
  const { phase, person, name, avatar } = chat.state;
  const human = phase === "human";
  const title = human ? (person?.name ?? t("team_member")) : name;
  return (
    <header>
      <Face name={title} avatar={human ? person?.avatar : avatar} />
      <div class="who">
        <h2>{title}</h2>
        <p>{human ? t("team_member") : t("assistant")}</p>
      </div>
      {config.handoff && phase === "bot" && (
        <IconButton label={t("talk")} icon="person" act={() => chat.handoff()} />
      )}
      {Menu(widget)}
      <IconButton label={t("close")} icon={widget.phone ? "close" : "down"} act={() => widget.close()} />
    </header>
  );
}

interface Entry {
  key: Key;
  /** Of a switch. */
  on?: boolean;
  act(): void;
}

function entries(widget: Widget): Entry[] {
  const { chat, config } = widget;
  const { phase, messages } = chat.state;
  const begun = messages.length > 0;
  const known = widget.visitor;
  const openSheet = (sheet: "transcript" | "data") => {
    chat.state.done = undefined;
    widget.setSheet(sheet);
  };
  const found: (Entry | false | "" | null | undefined)[] = [
    config.leads && { key: "lead", act: () => widget.setSheet("lead") },
    begun && { key: "new", act: () => widget.startOver() },
    known && { key: "past", act: () => widget.setSheet("past", { type: "conversations" }) },
    begun && { key: "transcript", act: () => openSheet("transcript") },
    config.sound && { key: "sound", on: widget.sound, act: () => widget.switchSound() },
    known && config.privacy_panel && { key: "data", act: () => openSheet("data") },
    begun && phase !== "closed" && { key: "end", act: () => chat.end() },
  ];
  return found.filter((entry): entry is Entry => Boolean(entry));
}

/** A button that shows and hides a list of buttons. */
function Menu(widget: Widget) {
  const { t, ui } = widget;
  const items = entries(widget);
  if (!items.length) return null;
  return (
    <div class="menu">
      <IconButton
        label={t("menu")}
        icon="more"
        expanded={Boolean(ui.menu)}
        act={() => {
          ui.menu = !ui.menu;
          widget.changed();
        }}
      />
      <ul hidden={!ui.menu}>
        {items.map(({ key, on, act }) => (
          <li key={key}>
            <button
              aria-pressed={on}
              onClick={() => {
                shutMenu(widget);
                act();
              }}
            >
              {t(key)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** True if it was open; the focus goes back to its button. */
export function shutMenu(widget: Widget): boolean | undefined {
  const { menu } = widget.ui;
  if (menu) widget.find(".menu button")?.focus();
  widget.ui.menu = false;
  widget.changed();
  return menu;
}
