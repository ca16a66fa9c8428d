import { safeUrl } from "../markdown.ts";
import { h } from "../vdom.ts";

/** A picture over the first letter, which stays where the page's policy does not let the picture load. */
export function Face({ name, avatar, live }: { name: string; avatar?: string | null; live?: boolean }) {
  const url = avatar && safeUrl(avatar);
  return (
    <span class={`face ${live ? "live" : ""}`} aria-hidden="true">
      {[...name.trim()][0]?.toUpperCase()}
      {url && (
        <img
          src={url}
          alt=""
          onError={(event) => event.currentTarget.remove()}
          referrerpolicy="no-referrer"
        />
      )}
    </span>
  );
}
