/**
 * Writes what the pages load into static/: the style sheet, the icons that templates name, the font.
 * `node build.mjs --check` builds beside it and fails when what is committed is older than the sources.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = import.meta.dirname;
const templates = join(here, "../../templates");
const FONTS = ["inter-latin-wght-normal.woff2", "inter-latin-ext-wght-normal.woff2"];

function filesUnder(folder, ending) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();
}

/** Every name in `{% icon "name" %}`, and those that code passes on: `icon="name"`. */
function iconNames() {
  const text = filesUnder(templates, ".html").map((path) => readFileSync(path, "utf8")).join("\n");
  const names = [...text.matchAll(/(?:\{% icon |\bicon=)"([a-z0-9-]+)"/g)].map((match) => match[1]);
  return [...new Set(names)].sort();
}

function symbol(name) {
  const svg = readFileSync(join(here, "node_modules/lucide-static/icons", `${name}.svg`), "utf8");
  const inner = /<svg[^>]*>([\s\S]*)<\/svg>/.exec(svg)[1].trim().replace(/\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 24 24">${inner}</symbol>`;
}

function build(target) {
  for (const folder of ["css", "img", "fonts"]) mkdirSync(join(target, folder), { recursive: true });
  const head = "<!-- Icons by Lucide, ISC licence: https://lucide.dev/license. Made by static/src/build.mjs. -->";
  const sprite = ['<svg xmlns="http://www.w3.org/2000/svg">', head, ...iconNames().map(symbol), "</svg>"];
  writeFileSync(join(target, "img/icons.svg"), `${sprite.join("\n")}\n`);
  for (const font of FONTS) {
    cpSync(join(here, "node_modules/@fontsource-variable/inter/files", font), join(target, "fonts", font));
  }
  const css = join(target, "css/app.css");
  const tailwind = join(here, "node_modules/.bin/tailwindcss");
  execFileSync(tailwind, ["-i", "app.css", "-o", css, "--minify"], { cwd: here, stdio: ["ignore", "ignore", "inherit"] });
}

function check() {
  const fresh = mkdtempSync(join(tmpdir(), "styles-"));
  build(fresh);
  const stale = ["css/app.css", "img/icons.svg", ...FONTS.map((font) => `fonts/${font}`)].filter(
    (path) => !readFileSync(join(fresh, path)).equals(readFileSync(join(here, "..", path))),
  );
  rmSync(fresh, { recursive: true });
  if (stale.length) {
    console.error(`Older than their sources: ${stale.join(", ")}. Run 'make build' and commit.`);
    process.exitCode = 1;
  }
}

if (process.argv[2] === "--check") check();
else build(join(here, process.argv[2] ?? ".."));
