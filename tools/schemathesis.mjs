//! Schemathesis, which checks a running shop against its OpenAPI document; installed once, into
//! `.tools/schemathesis`. Promises: the versions of `tools/schemathesis.txt`; without a suitable
//! Python, one line with the remedy.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answerOf, must, root, say, Stop } from "./run.mjs";

const VERSIONS = join(root, "tools/schemathesis.txt");
const FOLDER = join(root, ".tools/schemathesis");
const PROGRAMS = join(FOLDER, process.platform === "win32" ? "Scripts" : "bin");

/** Returns the path of the program, which is installed first if necessary. */
export async function schemathesis() {
  const note = join(FOLDER, "version");
  const program = join(PROGRAMS, "schemathesis");
  const wanted = readFileSync(VERSIONS, "utf8");
  if (existsSync(note) && readFileSync(note, "utf8") === wanted && answerOf(program, ["--version"]) !== null) return program;
  const python = ["python3", "python"].find((name) => answerOf(name, ["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"]) !== null);
  if (!python) throw new Stop("the OpenAPI test needs Python 3.10 or newer with venv: install it (`apt-get install python3-venv`), then run this again");
  say(`installing schemathesis into .tools`);
  await must(python, ["-m", "venv", "--clear", FOLDER], process.env, "Python could not create a virtual environment: see its error above");
  await must(join(PROGRAMS, "python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", VERSIONS], { ...process.env, PIP_USER: "0" }, "pip could not install schemathesis: see its error above");
  writeFileSync(note, wanted);
  return program;
}
