import { h } from "../vdom.ts";

/** Line drawings on a 24 by 24 grid, our own. */
const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  down: "M5 9l7 7 7-7",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  send: "M12 19V5M5.500 11.500L12 5l6.500 6.500",
  stop: "M8 8h8v8H8z",
  copy: "M9 9h10v11H9zM5 15V4h10",
  check: "M5 12.500l4.500 4.500L19 7.500",
  up: "M7 11v9H4v-9zM7 11l4-8c1.700 0 2.500 1 2.200 2.600L12.700 9H19c1.200 0 2 1 1.800 2.200l-1.200 7c-.2 1-1 1.800-2 1.800H7",
  thumbDown:
    "M17 13V4h3v9zM17 13l-4 8c-1.700 0-2.500-1-2.200-2.600l.5-3.400H5c-1.200 0-2-1-1.800-2.200l1.200-7c.2-1 1-1.800 2-1.800H17",
  retry: "M4 12a8 8 0 1 1 2.300 5.700M4 20v-5h5",
  out: "M14 4h6v6M20 4l-9 9M18 14v5H5V6h5",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20c1.200-3.500 4-5 7.500-5s6.300 1.500 7.500 5",
  plus: "M12 5v14M5 12h14",
  save: "M12 4v11M7 10.500l5 5 5-5M5 20h14",
  end: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.500 12h7",
  mail: "M3.500 6h17v12h-17zM4 6.500l8 6.500 8-6.500",
  book: "M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h11",
  arrow: "M5 12h14M13 6l6 6-6 6",
  warn: "M12 4l9 16H3zM12 10v4M12 17h.01",
  star: "M12 3.500l2.600 5.500 6 .8-4.400 4.200 1.100 6L12 17.100 6.700 20l1.100-6L3.400 9.800l6-.8z",
} as const;

export function Icon({ name, size = 20 }: { name: keyof typeof PATHS; size?: number }) {
  return (
    <svg class={`icon i-${name}`} viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
