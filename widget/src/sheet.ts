import css from "./styles.css";

/** The app's looks; one for as many widgets as a page makes in its life. */
export const sheet = new CSSStyleSheet();
sheet.replaceSync(css);
