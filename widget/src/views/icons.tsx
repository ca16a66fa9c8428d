import { type Child, h } from "../vdom.ts";

/** Line drawings on a 24 by 24 grid, our own. */
const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  down: "M5 9l7 7 7-7",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M8 8h8v8H8z",
  copy: "M9 9h10v11H9zM5 15V4h10",
  check: "M5 12l5 5 9-9",
  up: "M7 11v9H4v-9zM7 11l4-8c2 0 2.500 1 2 3l-.5 3H19c1 0 2 1 2 2l-2 9H7",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c2-7 14-7 16 0",
  clip: "M19 11l-7 7a4 4 0 0 1-6-6l7-7a3 3 0 0 1 4 4l-7 7a1 1 0 0 1-2-2l6-6",
  warn: "M12 4l9 16H3zM12 10v4M12 17h.01",
  star: "M12 3l3 6 6 1-4 4 1 6-6-3-6 3 1-6-4-4 6-1z",
} as const;

interface ButtonProps {
  label: string;
  icon: keyof typeof PATHS;
  size?: number;
  class?: string;
  /** Of a switch. */
  pressed?: boolean;
  /** Of what shows and hides something. */
  expanded?: boolean;
  act(): void;
}

/** A button that is a drawing, with its name for those who do not see it or wonder. */
export function IconButton({ label, icon, size, class: name, pressed, expanded, act }: ButtonProps) {
  return (
    <button
      class={name ?? "icon-button"}
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      onClick={act}
    >
      <Icon name={icon} size={size} />
    </button>
  );
}

export function Icon({ name, size = 20 }: { name: keyof typeof PATHS; size?: number }) {
  return (
    <svg class={`icon i-${name}`} viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

interface LinkProps {
  href: string;
  class?: string;
  download?: string;
  children?: Child;
}

/** A link that leaves the page where it is. */
export function Out({ children, ...rest }: LinkProps) {
  return (
    <a target="_blank" rel="noopener noreferrer" {...rest}>
      {children}
    </a>
  );
}
