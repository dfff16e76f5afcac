//! Runs other programs for the tools, and stops a tool with one clear line. Promises: a failure
//! thrown as a `Stop` is printed without a stack trace, with exit code 1.

import { spawn, spawnSync } from "node:child_process";
import { constants, setPriority } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** A failure that a person can act on: the problem and its remedy. */
export class Stop extends Error {}

export function say(line) {
  console.log(`• ${line}`);
}

/** Runs a tool's `main` if its file is the program that was started. */
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

/** Prints the help and ends the program, if it was asked for. */
export function helpIfAsked(args, text) {
  if (!args.includes("--help") && !args.includes("-h")) return;
  console.log(text.trim());
  process.exit(0);
}

/** Returns the trimmed output of a program; null if it is missing or fails. */
export function answerOf(command, args, env = process.env) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, env, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/** Runs a program in this terminal to its end; returns true if it succeeded. */
export async function succeeds(command, args, env = process.env, options = {}) {
  return (await exitCode(spawn(command, args, { cwd: root, env, stdio: "inherit", ...options }))) === 0;
}

/** Like `succeeds`, but a failure stops the tool with the given line. */
export async function must(command, args, env, line, options) {
  if (!(await succeeds(command, args, env, options))) throw new Stop(line);
}

/** Runs a program to its end while showing its output; returns the output and the exit code. */
export async function teed(command, args, env = process.env) {
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    printed += text;
    process.stdout.write(text);
  });
  return { code: await exitCode(child), printed };
}

/** Runs a program to its end; returns its whole output and the exit code. */
export async function captured(command, args, env = process.env, { priority } = {}) {
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  if (priority && child.pid) setPriority(child.pid, priority); // inherited by what it starts
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (printed += text));
  return { code: await exitCode(child), printed };
}

/** Runs a program in the time that others leave; shows its output at its end, and returns it. */
export async function inIdleTime(command, args, env = process.env) {
  const outcome = await captured(command, args, env, { priority: constants.priority.PRIORITY_LOW });
  process.stdout.write(outcome.printed);
  return outcome;
}

function exitCode(child) {
  return new Promise((done) => {
    child.on("error", () => done(127));
    child.on("close", (code) => done(code ?? 1));
  });
}
