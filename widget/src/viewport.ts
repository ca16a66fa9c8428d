/** The part of the window that is free: on a phone it shrinks when the keyboard comes up. */
const PHONE = "(max-width: 480px), (max-height: 480px)";

export function isPhone(): boolean {
  return matchMedia(PHONE).matches;
}

export function visibleBox(): { height: number; top: number } {
  const view = window.visualViewport;
  return { height: view?.height ?? innerHeight, top: view?.offsetTop ?? 0 };
}

/** Calls back when the free part changes; returns how to stop it. */
export function onViewport(act: () => void): () => void {
  const gone = new AbortController();
  const view = window.visualViewport;
  matchMedia(PHONE).addEventListener("change", act, gone);
  view?.addEventListener("resize", act, gone);
  view?.addEventListener("scroll", act, gone);
  return () => gone.abort();
}

let overflow: string | undefined;

/** Keep the page behind a full-screen panel from scrolling; its own setting comes back afterwards. */
export function lockPage(lock: boolean): void {
  const { style } = document.documentElement;
  if (lock && overflow === undefined) {
    overflow = style.overflow;
    style.overflow = "hidden";
  } else if (!lock && overflow !== undefined) {
    style.overflow = overflow;
    overflow = undefined;
  }
}
