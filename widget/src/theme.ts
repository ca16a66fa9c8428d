type Rgb = [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
const DEFAULT = "#4f46e5";
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

export function parseColour(colour: string | undefined): Rgb {
  const hex = /^#([\da-f]{3}|[\da-f]{6})$/i.exec(colour ?? "")?.[1] ?? DEFAULT.slice(1);
  const full = hex.length === 3 ? hex.replace(/./g, "$&$&") : hex;
  return [0, 2, 4].map((at) => Number.parseInt(full.slice(at, at + 2), 16)) as Rgb;
}

/** Relative luminance, WCAG 2.2. */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

export function palette(colour: string | undefined): Palette {
  const brand = parseColour(colour);
  const ink =
    contrast(brand, WHITE) >= ENOUGH || contrast(brand, WHITE) > contrast(brand, BLACK) ? WHITE : BLACK;
  return {
    brand: css(brand),
    ink: css(ink),
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

function css([r, g, b]: Rgb): string {
  return `rgb(${r} ${g} ${b})`;
}
