import { safeUrl } from "../markdown.ts";
import { h } from "../vdom.ts";

/** A picture over the first letter, which stays where the page's policy does not let the picture load. */
export function Face({ name, avatar }: { name: string; avatar?: string | null }) {
  const url = avatar && safeUrl(avatar);
  return (
    <span class="face" aria-hidden="true">
      {[...name.trim()][0]?.toUpperCase()}
      {url && <img src={url} alt="" referrerpolicy="no-referrer" />}
    </span>
  );
}
