// Looks and words first: what repeats them later compresses better.
import { sheet } from "./sheet.ts";
import "./i18n.ts";
import type { AppApi, Start } from "./config.ts";
import { render } from "./vdom.ts";
import { View } from "./views/panel.tsx";
import { Widget } from "./widget.ts";

/** Called by the loader with the shadow root it has made; answers with the calls that the app takes over. */
export async function start(context: Start): Promise<AppApi> {
  const { shadow } = context;
  shadow.adoptedStyleSheets = [...shadow.adoptedStyleSheets, sheet];
  const place = document.createElement("div");
  shadow.append(place);
  const widget = new Widget(context);
  widget.redraw = () => render(View(widget), place);
  await widget.prepare();
  widget.redraw();
  const destroy = () => {
    render(null, place);
    widget.destroy();
  };
  return bound(widget, destroy);
}

function bound(widget: Widget, destroy: () => void): AppApi {
  return {
    open: (click) => widget.open(click),
    close: () => widget.close(),
    toggle: (click) => widget.toggle(click),
    ask: (text) => widget.ask(text),
    identify: (identity) => widget.identify(identity),
    logout: () => widget.logout(),
    setContext: (context) => widget.setContext(context),
    consent: (granted) => widget.consent(granted),
    destroy,
  };
}
