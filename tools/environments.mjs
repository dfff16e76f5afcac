//! `node tools/environments.mjs`: writes the environments other than production below `# generated`
//! in wrangler.toml, because environments inherit no bindings. Each is production with names,
//! addresses and counters of its own. Promises: everything above that line is left unchanged, and
//! repeated runs write the same text.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { helpIfAsked, root, runAsProgram, say, Stop } from "./run.mjs";

const HELP = `
node tools/environments.mjs [--check]

Generates the part of wrangler.toml below \`# generated\` from the part above it.
  --check  writes nothing, and fails if the generated part is out of date`;

const MARK = "\n# generated\n";
/**
 * Keys that identify a resource of production, whatever its name. Another environment finds its own
 * by name.
 */
const IDS = ["id", "database_id", "preview_id", "preview_database_id", "preview_bucket_name"];
/**
 * Variables with keys, addresses and origins that belong to one environment; empty in another,
 * unless its line sets them.
 */
const OWN_VARS = ["TURNSTILE_SITE_KEY", "FINDINGS_MAIL", "FINDINGS_WEBHOOK_URL", "CORS_ORIGINS"];
/** Keys that an environment inherits from production, or that the whole Worker has once. */
const SHARED = ["build", "assets", "migrations", "observability", "triggers"];
/** A line without the comment after its last value. */
const COMMENT = /^((?:[^"#]|"(?:\\.|[^"\\])*")*?)\s*(?:#.*)?$/;
const file = join(root, "wrangler.toml");

/** Returns the text of wrangler.toml with its environments rewritten. */
export function withEnvironments(text) {
  const [own, ...rest] = text.split(MARK);
  if (rest.length !== 1) throw new Stop("wrangler.toml has no line `# generated`: restore it with `git checkout wrangler.toml`");
  const environments = [...own.matchAll(/^# ([\w-]+) (\{.*)$/gm)].map(([line, name, settings]) => environment(name, read(name, settings, line), own));
  return `${own}${MARK}${environments.join("")}`;
}

function read(name, settings, line) {
  try {
    if (["dev", "production"].includes(name)) throw new Error("this name is reserved");
    const { limiters, vars } = JSON.parse(settings);
    if (!Number.isInteger(limiters) || !vars?.SHOP_URL) throw new Error("it needs `limiters`, a whole number, and `vars` with a SHOP_URL");
    return { limiters, vars };
  } catch (error) {
    throw new Stop(`wrangler.toml: \`${line}\`: ${error.message}`);
  }
}

function environment(name, { limiters, vars }, production) {
  const own = { ENVIRONMENT: name, ...vars };
  const host = new URL(vars.SHOP_URL).host;
  const head = `\n[env.${name}]\nworkers_dev = false\npreview_urls = false\nroutes = [{ pattern = "${host}", custom_domain = true }]\n`;
  return head + sectionsOf(production).map(({ header, lines }) => section(header.replace(/^\[+/, `$&env.${name}.`), lines.map((line) => renamed(line, name, limiters, own)).filter((line) => line !== undefined))).join("");
}

function section(header, lines) {
  return `\n${[header, ...lines].join("\n")}\n`;
}

/** Returns the sections of production that an environment has to repeat, without comments. */
function sectionsOf(text) {
  const sections = [];
  for (const line of text.split("\n").map((line) => line.replace(COMMENT, "$1")).filter((line) => line !== "")) {
    if (line.startsWith("[")) sections.push({ header: line, lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections.filter(({ header }) => !SHARED.includes(header.replaceAll(/[[\]]/g, "")));
}

/**
 * Returns a line of production as another environment has it; nothing for lines that concern
 * production only.
 */
function renamed(line, name, limiters, vars) {
  const [, key, text] = /^(\w+) = "(.*)"$/.exec(line) ?? [];
  if (IDS.includes(key)) return undefined;
  if (key in vars) return `${key} = ${JSON.stringify(vars[key])}`;
  if (OWN_VARS.includes(key)) return `${key} = ""`;
  if (key === "namespace_id") return `${key} = "${limiters}${text.slice(1)}"`;
  if (["queue", "dead_letter_queue"].includes(key)) return `${key} = "${text.replace(/(-dead)?$/, `-${name}$1`)}"`;
  if (["database_name", "bucket_name"].includes(key)) return `${key} = "${text}-${name}"`;
  return line;
}

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const text = readFileSync(file, "utf8");
  const wanted = withEnvironments(text);
  if (text === wanted) return;
  if (args.includes("--check")) throw new Stop("the environments in wrangler.toml are out of date: run `node tools/environments.mjs`");
  writeFileSync(file, wanted);
  say("wrote the environments in wrangler.toml");
});
