//! The Rust side of set-up: the wasm32 target, worker-build and the programs it calls. There are
//! two routes. Normally, rustup and worker-build fetch what they need. Where only package
//! registries can be reached, Debian's Rust is used with a standard library built from its source,
//! and the programs come from crates and npm packages.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { aptInstall, aptKnows } from "./apt.mjs";
import { answerOf, must, root, say, Stop, succeeds } from "./run.mjs";

const TARGET = "wasm32-unknown-unknown";
const WORKER_BUILD = "0.8.7";
const CARGO_DENY = "0.20.2";
const tools = join(root, ".tools");

/** Returns the environment in which `cargo` and `worker-build` build for wasm32. */
export async function rustTools(env) {
  if (!answerOf("cargo", ["--version"], env)) throw new Stop("Rust is missing: install it from https://rustup.rs, then run this again");
  env = await wasmTarget(env);
  await workerBuild(env);
  return builderEnv(env);
}

/** Installs clippy and rustfmt for the current toolchain, and cargo-deny. */
export async function lintTools(env) {
  if (answerOf("cargo-deny", ["--version"], env) !== `cargo-deny ${CARGO_DENY}`) await cargoInstall("cargo-deny", CARGO_DENY, env);
  const missing = () => !answerOf("cargo", ["clippy", "--version"], env) || !answerOf("cargo", ["fmt", "--version"], env);
  if (!missing()) return;
  say("adding clippy and rustfmt");
  if (env.RUSTUP_TOOLCHAIN === SYSTEM) await aptInstall(["rust-web-clippy", "rustfmt-web"]);
  else await succeeds("rustup", ["component", "add", "clippy", "rustfmt"], env);
  if (missing()) throw new Stop("clippy or rustfmt is missing: run `rustup component add clippy rustfmt`");
}

// -- the wasm32 target

const SYSTEM = "system";
const DEBIAN_RUST = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"];

async function wasmTarget(env) {
  if (hasTarget(env)) return env;
  if (hasTarget({ ...env, RUSTUP_TOOLCHAIN: SYSTEM })) return { ...env, RUSTUP_TOOLCHAIN: SYSTEM };
  say(`adding the target ${TARGET}`);
  if (await succeeds("rustup", ["target", "add", TARGET], env)) return env;
  return systemToolchain(env);
}

function hasTarget(env) {
  const folder = answerOf("rustc", ["--print", "target-libdir", "--target", TARGET], env);
  return folder !== null && existsSync(folder) && readdirSync(folder).some((file) => /^libstd-.*\.rlib$/.test(file));
}

/**
 * Links Debian's Rust into rustup as `system`, with a standard library for wasm32 built from its
 * source.
 */
async function systemToolchain(env) {
  if (!aptKnows(DEBIAN_RUST)) {
    throw new Stop(`the target ${TARGET} can't be downloaded: run \`rustup target add ${TARGET}\` where rustup can download`);
  }
  say("rustup cannot download the target: using Debian's Rust instead");
  await aptInstall([...DEBIAN_RUST, "rust-web-clippy", "rustfmt-web"]);
  if (!systemHasTarget()) await buildStd();
  if (answerOf("rustup", ["--version"], env)) {
    await must("rustup", ["toolchain", "link", SYSTEM, "/usr"], env, "rustup could not link Debian's Rust: run `rustup toolchain link system /usr` to see why");
  }
  const system = { ...env, RUSTUP_TOOLCHAIN: SYSTEM };
  if (!hasTarget(system)) throw new Stop(`the standard library for ${TARGET} was built but can't be found: remove .tools/std and run this again`);
  return system;
}

function systemLibdir() {
  return join(answerOf("/usr/bin/rustc", ["--print", "sysroot"]) ?? "/usr", "lib/rustlib", TARGET, "lib");
}

function systemHasTarget() {
  return existsSync(systemLibdir()) && readdirSync(systemLibdir()).some((file) => /^libstd-.*\.rlib$/.test(file));
}

async function buildStd() {
  if (process.getuid?.() !== 0) {
    throw new Stop(`installing into ${systemLibdir()} needs root: run \`sudo env "PATH=$PATH" node tools/setup.mjs\` once`);
  }
  say(`building the standard library for ${TARGET} (about a minute)`);
  const crate = join(tools, "std");
  rmSync(crate, { recursive: true, force: true });
  mkdirSync(join(crate, "src"), { recursive: true });
  writeFileSync(join(crate, "Cargo.toml"), '[package]\nname = "empty"\nedition = "2021"\n\n[lib]\n\n[workspace]\n');
  writeFileSync(join(crate, "src/lib.rs"), "");
  // Needs embed-bitcode: without it, link-time optimization of the Worker finds no `.llvmbc`.
  const env = { ...process.env, RUSTC: "/usr/bin/rustc", RUSTC_BOOTSTRAP: "1", RUSTFLAGS: "-Cembed-bitcode=yes", CARGO_TARGET_DIR: join(crate, "target") };
  const args = ["build", "-Z", "build-std=std,panic_abort,panic_unwind,proc_macro", "--release", "--target", TARGET];
  await must("/usr/bin/cargo", args, env, "the standard library did not build: look above for the reason", { cwd: crate });
  const built = join(crate, "target", TARGET, "release/deps");
  mkdirSync(systemLibdir(), { recursive: true });
  for (const file of readdirSync(built)) {
    if (file.endsWith(".rlib") && !file.startsWith("libempty")) copyFileSync(join(built, file), join(systemLibdir(), file));
  }
  rmSync(crate, { recursive: true });
}

// -- worker-build and the programs it calls

async function workerBuild(env) {
  if (answerOf("worker-build", ["--version"], env) === WORKER_BUILD) return;
  // It downloads through the system's OpenSSL.
  const lacksOpenssl = process.platform === "linux" && answerOf("pkg-config", ["--exists", "openssl"], env) === null;
  if (lacksOpenssl) await aptInstall(["pkg-config", "libssl-dev"]);
  await cargoInstall("worker-build", WORKER_BUILD, env);
}

/**
 * Lets worker-build download its programs. If that is refused, names the same programs from crates
 * and packages.
 */
async function builderEnv(env) {
  if (env.WASM_BINDGEN_BIN && env.WASM_OPT_BIN && env.ESBUILD_BIN) return env;
  if ((await downloadRoute()) === "releases") return env;
  const bin = (name) => join(root, "node_modules/.bin", name);
  const found = { WASM_BINDGEN_BIN: await wasmBindgen(env), WASM_OPT_BIN: bin("wasm-opt"), ESBUILD_BIN: bin("esbuild") };
  for (const [name, file] of Object.entries(found)) {
    if (name !== "WASM_BINDGEN_BIN" && !existsSync(file)) throw new Stop(`${file} is missing: remove node_modules and run this again`);
  }
  return { ...found, ...env };
}

/** Returns true if worker-build's downloads can be reached; checked once and remembered. */
async function downloadRoute() {
  const note = join(tools, "route");
  if (existsSync(note)) return readFileSync(note, "utf8").trim();
  const release = "https://github.com/WebAssembly/binaryen/releases/download/version_132/binaryen-version_132-x86_64-linux.tar.gz";
  const reached = await fetch(release, { method: "HEAD", signal: AbortSignal.timeout(8000) }).then((answer) => answer.ok, () => false);
  const route = reached ? "releases" : "packages";
  if (!reached) say("GitHub's releases cannot be reached: taking wasm-bindgen, wasm-opt and esbuild from packages");
  mkdirSync(tools, { recursive: true });
  writeFileSync(note, `${route}\n`);
  return route;
}

/**
 * Installs wasm-bindgen in exactly the version of Cargo.lock, because its output must match the
 * crate's.
 */
async function wasmBindgen(env) {
  const version = readFileSync(join(root, "Cargo.lock"), "utf8").match(/name = "wasm-bindgen"\nversion = "(.*)"/)?.[1];
  if (!version) throw new Stop("Cargo.lock names no wasm-bindgen: restore it with `git checkout Cargo.lock`");
  if (answerOf("wasm-bindgen", ["--version"], env) !== `wasm-bindgen ${version}`) await cargoInstall("wasm-bindgen-cli", version, env);
  return "wasm-bindgen";
}

async function cargoInstall(crate, version, env) {
  say(`building ${crate} ${version} (takes a few minutes, once)`);
  // For these programs, a quick build matters more than speed.
  const fast = { ...env, CARGO_PROFILE_RELEASE_LTO: "off", CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16", CARGO_TARGET_DIR: join(tools, "target") };
  const args = ["install", crate, "--version", `=${version}`, "--root", tools, "--force", "--quiet"];
  // A published lockfile may name a crate version that has been yanked since.
  const locked = await succeeds("cargo", [...args, "--locked"], fast);
  if (!locked) say(`retrying ${crate} without its lockfile`);
  const built = locked || (await succeeds("cargo", args, fast));
  rmSync(join(tools, "target"), { recursive: true, force: true });
  if (!built) throw new Stop(`${crate} ${version} did not build: run \`cargo install ${crate} --version ${version}\` to see why`);
}
