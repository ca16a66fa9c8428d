import { h } from "preact";
import { useState } from "preact/hooks";
import { safeUrl } from "../markdown.ts";

/** A picture, or the first letter where there is none or the page's policy does not let it load. */
export function Face({ name, avatar, live }: { name: string; avatar?: string | null; live?: boolean }) {
  const [broken, setBroken] = useState<string>();
  const url = avatar ? safeUrl(avatar) : null;
  return (
    <span class={`face ${live ? "live" : ""}`} aria-hidden="true">
      {url && url !== broken ? (
        <img src={url} alt="" onError={() => setBroken(url)} referrerpolicy="no-referrer" />
      ) : (
        [...name.trim()][0]?.toUpperCase()
      )}
    </span>
  );
}
