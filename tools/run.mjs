//! Runs other programs for the tools, and stops a tool with one clear line. Promises: a failure
//! that is told as a `Stop` is printed without a stack, and ends with exit code 1.

import { spawn, spawnSync } from "node:child_process";
import { constants, setPriority } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** A failure a person can act on: what is wrong, and the cure. */
export class Stop extends Error {}

export function say(line) {
  console.log(`• ${line}`);
}

/** Runs a tool's `main` when its file is the program that was started. */
export function runAsProgram(url, main) {
  if (!process.argv[1] || resolve(process.argv[1]) !== fileURLToPath(url)) return;
  main(process.argv.slice(2)).then(
    (code) => (process.exitCode = code ?? process.exitCode ?? 0),
    (error) => {
      console.error(error instanceof Stop ? `✗ ${error.message}` : error);
      process.exitCode = 1;
    },
  );
}

/** Prints the help and ends the program when it was asked for. */
export function helpIfAsked(args, text) {
  if (!args.includes("--help") && !args.includes("-h")) return;
  console.log(text.trim());
  process.exit(0);
}

/** Output of a program, trimmed; null where it is missing or fails. */
export function answerOf(command, args, env = process.env) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, env, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/** Runs a program on this terminal to its end; true when it succeeded. */
export async function succeeds(command, args, env = process.env, options = {}) {
  return (await exitCode(spawn(command, args, { cwd: root, env, stdio: "inherit", ...options }))) === 0;
}

/** As `succeeds`, but a failure stops the tool, with the given line. */
export async function must(command, args, env, line, options) {
  if (!(await succeeds(command, args, env, options))) throw new Stop(line);
}

/** Runs a program to its end, shows what it prints, and returns it with the exit code. */
export async function teed(command, args, env = process.env) {
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    printed += text;
    process.stdout.write(text);
  });
  return { code: await exitCode(child), printed };
}

/** Runs a program to its end, and returns all that it prints, with the exit code. */
export async function captured(command, args, env = process.env) {
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (printed += text));
  return { code: await exitCode(child), printed };
}

/** As `teed`, in the time that other programs leave; what it prints is shown at its end. */
export async function inIdleTime(command, args, env = process.env) {
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  if (child.pid) setPriority(child.pid, constants.priority.PRIORITY_LOW); // inherited by what it starts
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (printed += text));
  const code = await exitCode(child);
  process.stdout.write(printed);
  return { code, printed };
}

function exitCode(child) {
  return new Promise((done) => {
    child.on("error", () => done(127));
    child.on("close", (code) => done(code ?? 1));
  });
}
