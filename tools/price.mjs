//! `npm run price`: what a cart described in a file costs, by the very functions that price a
//! quote. Promises: needs no running shop; `-- --help` says what the file holds; a cart that can't
//! be priced is told why, with exit code 1.

import { runAsProgram, succeeds } from "./run.mjs";
import { setUp } from "./setup.mjs";

runAsProgram(import.meta.url, async (args) => ((await succeeds("cargo", ["run", "--quiet", "--example", "price", "--", ...args], await setUp())) ? 0 : 1));
