/** Bundles the tests (TypeScript, with what they import) and runs them under node:test; any Node from 20 on. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(tmpdir(), "widget-tests-"));
const tests = readdirSync(here).filter((file) => file.endsWith(".test.ts"));

await build({
  entryPoints: tests.map((file) => join(here, file)),
  bundle: true,
  format: "esm",
  platform: "node",
  outdir: out,
  outExtension: { ".js": ".mjs" },
  define: { LOCALES: '["de", "ar"]', LOCALES_DIR: '"locales"' },
  logLevel: "error",
});
const files = tests.map((file) => join(out, file.replace(/\.ts$/, ".mjs")));
const { status } = spawnSync(process.execPath, ["--test", "--test-reporter=dot", ...files], {
  stdio: "inherit",
});
rmSync(out, { recursive: true });
process.exit(status ?? 1);
