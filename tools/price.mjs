//! `npm run price`: prices a cart described in a file, with the same functions that price a quote.
//! Promises: needs no running shop; `-- --help` describes the file; for a cart that can't be
//! priced, prints the reason with exit code 1.

import { runAsProgram, succeeds } from "./run.mjs";
import { setUp } from "./setup.mjs";

runAsProgram(import.meta.url, async (args) => ((await succeeds("cargo", ["run", "--quiet", "--example", "price", "--", ...args], await setUp())) ? 0 : 1));
