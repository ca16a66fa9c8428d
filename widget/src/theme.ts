type Rgb = [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
const DEFAULT = "4f46e5";
/** WCAG 2.2 AA for text. */
const ENOUGH = 4.5;
/** The panel's lightest and darkest grounds that coloured text stands on. */
const LIGHT_GROUND: Rgb = [244, 244, 247];
const DARK_GROUND: Rgb = [43, 44, 51];

export interface Palette {
  brand: string;
  /** Text on the brand colour. */
  ink: string;
  /** The brand as text on the panel, darkened or lightened until it can be read. */
  accentLight: string;
  accentDark: string;
}

export function parseColour(colour = ""): Rgb {
  const [, hex = DEFAULT] = /^#([\da-f]{3}|[\da-f]{6})$/i.exec(colour) ?? [];
  const full = hex.length === 3 ? hex.replace(/./g, "$&$&") : hex;
  return (full.match(/../g) ?? []).map((part) => Number.parseInt(part, 16)) as Rgb;
}

/** Relative luminance, WCAG 2.2. */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((value) =>
    value > 10 ? ((value / 255 + 0.055) / 1.055) ** 2.4 : value / 3294.6,
  ) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one) + 0.05, luminance(other) + 0.05];
  return Math.max(a / b, b / a);
}

export function palette(colour: string | undefined): Palette {
  const brand = parseColour(colour);
  const onWhite = contrast(brand, WHITE);
  const css = (rgb: Rgb) => `rgb(${rgb})`;
  return {
    brand: css(brand),
    ink: css(onWhite >= ENOUGH || onWhite > contrast(brand, BLACK) ? WHITE : BLACK),
    accentLight: css(readable(brand, LIGHT_GROUND, BLACK)),
    accentDark: css(readable(brand, DARK_GROUND, WHITE)),
  };
}

function readable(colour: Rgb, ground: Rgb, towards: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = colour.map((value, at) => Math.round(value + ((towards[at] ?? 0) - value) * share)) as Rgb;
    if (contrast(mixed, ground) >= ENOUGH) return mixed;
  }
  return towards;
}
