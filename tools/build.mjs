//! `npm run build`: compiles the Worker into build/, which wrangler and the tests run. Promises:
//! unchanged inputs are not compiled again, so that any script may call this first.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { helpIfAsked, must, root, runAsProgram, say, Stop } from "./run.mjs";
import { setUp } from "./setup.mjs";
import { withoutNames } from "./wasm.mjs";

const HELP = `
npm run build [-- --dev] [--force]

  --dev    builds without optimization: faster to compile, slower to run
  --force  builds even if nothing has changed`;

const INPUTS = ["src", "assets", "content", "build.rs", "tools/brand", "durable/src", "Cargo.toml", "durable/Cargo.toml", "Cargo.lock"];
const OUTPUTS = ["build/index.js", "target/assets"];
const note = join(root, ".tools/built");
const wasm = join(root, "build/index_bg.wasm");

export async function build({ dev = false, force = false, env } = {}) {
  const inputs = fingerprint(dev ? "dev" : "release");
  const current = OUTPUTS.every((file) => existsSync(join(root, file))) && existsSync(note) && readFileSync(note, "utf8") === inputs;
  if (current && !force) return;
  env ??= await setUp();
  say(`building the Worker (${dev ? "dev" : "release"})`);
  await must("worker-build", [dev ? "--dev" : "--release"], { ...env, RUST_BACKTRACE: "0" }, "the Worker did not build: fix the compiler errors above, then run this again");
  if (!dev) writeFileSync(wasm, withoutNames(readFileSync(wasm)));
  mkdirSync(join(root, ".tools"), { recursive: true });
  writeFileSync(note, inputs);
  const bytes = readFileSync(wasm);
  const zipped = dev ? "" : `, ${Math.round(gzipSync(bytes, { level: 9 }).length / 1000)} KB as gzip`;
  say(`built: ${Math.round(bytes.length / 1000)} KB of wasm${zipped}`);
}

/** Paths of the Worker with the brand of `tests/brand/second.toml`, and of its static files. */
export const SECOND_BRAND = { worker: join(root, "target/second-brand"), assets: join(root, "target/assets-of-second-brand") };

/** Builds the Worker with the second brand, without optimization. */
export async function buildSecondBrand(env) {
  const inputs = fingerprint("second brand", [...INPUTS, "tests/brand/second.toml"]);
  const note = join(SECOND_BRAND.worker, "built");
  if (existsSync(note) && readFileSync(note, "utf8") === inputs) return;
  say("building the Worker with a second brand (dev)");
  const args = ["--dev", "--out-dir", relative(root, SECOND_BRAND.worker), ".", "--features", "second-brand"];
  await must("worker-build", args, env, "the Worker with the second brand did not build: look above for the reason");
  writeFileSync(note, inputs);
}

function fingerprint(kind, files = INPUTS) {
  const hash = createHash("sha256").update(kind);
  for (const file of files.flatMap(filesOf)) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

function filesOf(path) {
  if (!existsSync(join(root, path))) throw new Stop(`${path} is missing: restore it with \`git checkout ${path}\``);
  if (statSync(join(root, path)).isFile()) return [path];
  return readdirSync(join(root, path)).sort().flatMap((name) => filesOf(join(path, name)));
}

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  await build({ dev: args.includes("--dev"), force: args.includes("--force") });
});
