/**
 * Builds the widget into static/widget/v1/, the same bytes every time.
 * `--verify` builds into memory and compares with what is committed; both refuse files that outgrew their limits.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";
import { minify } from "terser";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../static/widget/v1");
const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));

/** Compressed bytes: what a page loads before the bubble, and all code that a conversation in English needs. */
const LIMITS = { loader: 2 * 1024, total: 25 * 1024 };
const MINE = /\.(js|map|json)$/;

const cssAsText = {
  name: "css-as-text",
  setup(builder) {
    builder.onLoad({ filter: /\.css$/ }, async ({ path }) => ({
      contents: await minifiedCss(path),
      loader: "text",
    }));
  },
};

async function minifiedCss(path) {
  const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true });
  return code.trim();
}

const shared = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  write: false,
  charset: "utf8",
  target: ["es2022", "chrome94", "firefox101", "safari16.4"],
  sourcemap: "external",
  legalComments: "none",
  sourcesContent: true,
  outdir: out,
};

const read = (name) => readFileSync(join(here, "src", name), "utf8");
const words = (text) => text.match(/[A-Za-z_]\w*/g) ?? [];
const captured = (text, pattern) => Array.from(text.matchAll(pattern), (found) => found[1]);

/**
 * The names of members that are nobody's business outside the app, to be shortened: declared in a class or record of
 * ours, in no module whose records meet the server, the page or the disk, and never written as a text anywhere.
 */
function ownNames() {
  const modules = readdirSync(join(here, "src")).filter((name) => name.endsWith(".ts"));
  const views = readdirSync(join(here, "src/views")).map((name) => `views/${name}`);
  const open = ["protocol.ts", "config.ts", "kept.ts", "loader.ts"];
  const code = [...modules, ...views]
    .map(read)
    .join("\n")
    .replace(/\/\*\*[\s\S]*?\*\/|\/\/ .*/g, "");
  const texts = code.match(/"[^"\n]*"|`[^`\n]*`|\/[^/\n ]+\//g) ?? [];
  const others = new Set([...open.map(read), ...texts, read("locales/en.json")].flatMap(words));
  const own = [...modules, ...views]
    .filter((name) => !open.includes(name))
    .map(read)
    .join("\n");
  const declared = captured(own, /^ {2}(?:readonly |get |async )*((?!on[A-Z])[a-z]\w{3,})\??[:(;=]/gm);
  return [...new Set(declared)].filter((name) => !others.has(name));
}

/** esbuild joins and types away; terser, with its whole-program passes, saves another 4 % of the compressed size. */
async function bundle(entry, options) {
  const { outputFiles } = await build({ ...shared, ...options, entryPoints: [entry] });
  const find = (ending) => outputFiles.find((file) => file.path.endsWith(ending)).text;
  return minify(find(".js"), {
    module: options.format === "esm",
    toplevel: options.format === "esm",
    mangle: { properties: { regex: new RegExp(`^(${ownNames().join("|")})$`) } },
    ecma: 2020,
    compress: {
      passes: 3,
      pure_getters: true,
      unsafe_arrows: true,
      unsafe: true,
      unsafe_comps: true,
      keep_fargs: false,
    },
    format: { ascii_only: false },
    sourceMap: { content: find(".js.map"), includeSources: true },
  });
}

const hash = (content) => createHash("sha256").update(content).digest("hex").slice(0, 10);
const integrity = (content) => `sha384-${createHash("sha384").update(content).digest("base64")}`;
const gzipped = (content) => gzipSync(content, { level: 9 }).length;

function withMap(name, { code, map }) {
  return { [name]: `${code.trimEnd()}\n//# sourceMappingURL=${name}.map\n`, [`${name}.map`]: map };
}

function locales() {
  const folder = join(here, "src/locales");
  const texts = readdirSync(folder)
    .filter((file) => file !== "en.json")
    .sort()
    .map((file) => [file, JSON.stringify(JSON.parse(readFileSync(join(folder, file), "utf8")))]);
  const directory = `locales.${hash(JSON.stringify(texts))}`;
  return { directory, texts, names: texts.map(([file]) => file.replace(".json", "")) };
}

export async function builtFiles() {
  const { directory, texts, names } = locales();
  const app = await bundle("src/app.tsx", {
    format: "esm",
    plugins: [cssAsText],
    jsxFactory: "h",
    jsxFragment: "Fragment",
    define: { LOCALES: JSON.stringify(names), LOCALES_DIR: JSON.stringify(directory) },
  });
  const appName = `app.${hash(app.code)}.js`;
  const files = withMap(appName, app);
  // Where a loader looks that names an app which a deploy has replaced.
  files["app.js"] = `export * from "./${appName}";\n`;
  for (const [file, text] of texts) files[`${directory}/${file}`] = text;
  const loader = await bundle("src/loader.ts", {
    format: "iife",
    define: {
      APP: JSON.stringify(appName),
      APP_INTEGRITY: JSON.stringify(integrity(files[appName])),
      VERSION: JSON.stringify(version),
      CSS: JSON.stringify(await minifiedCss(join(here, "src/loader.css"))),
    },
  });
  Object.assign(files, withMap("netvexa.min.js", loader));
  files["manifest.json"] = manifest(files, appName);
  return files;
}

function manifest(files, app) {
  const served = Object.entries(files).filter(([name]) => /\.(js|json)$/.test(name));
  const described = served.map(([name, content]) => [
    name,
    { integrity: integrity(content), bytes: Buffer.byteLength(content) },
  ]);
  const loader = "netvexa.min.js";
  return `${JSON.stringify({ version, loader, app, files: Object.fromEntries(described.sort()) }, null, 2)}\n`;
}

function sizes(files) {
  const app = Object.keys(files).find((name) => /^app\..*\.js$/.test(name));
  const loader = gzipped(files["netvexa.min.js"]);
  const total = loader + gzipped(files[app]);
  console.log(`widget: loader ${loader} B, total ${total} B compressed`);
  const over = Object.entries({ loader, total }).filter(([part, size]) => size > LIMITS[part]);
  for (const [part, size] of over) console.error(`widget: ${part} is ${size} B, more than ${LIMITS[part]} B`);
  return over.length === 0;
}

function committed() {
  return readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && MINE.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(out.length + 1));
}

function matches(files) {
  const there = committed();
  const stale = there.filter((name) => !(name in files));
  const differing = Object.entries(files)
    .filter(([name, content]) => !there.includes(name) || readFileSync(join(out, name), "utf8") !== content)
    .map(([name]) => name);
  for (const name of [...stale, ...differing]) console.error(`widget: ${name} is not what the sources build`);
  if (stale.length + differing.length) console.error("widget: run `npm run build` and commit static/widget/");
  return stale.length + differing.length === 0;
}

function write(files) {
  rmSync(out, { recursive: true, force: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(out, name)), { recursive: true });
    writeFileSync(join(out, name), content);
  }
}

const files = await builtFiles();
const small = sizes(files);
if (process.argv.includes("--verify")) process.exit(small && matches(files) ? 0 : 1);
write(files);
process.exit(small ? 0 : 1);
