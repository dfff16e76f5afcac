/**
 * `npm run chaos`: see tools/chaos.mjs, which builds the Worker, starts this program and passes the
 * evidence to the judge.
 */
import { runChaos } from './run.ts';

const { seconds, clients, seed } = JSON.parse(process.argv[2]!) as { seconds: number; clients: number; seed?: number };
const outcome = await runChaos({ seconds, clients, ...(seed !== undefined && { seed }), say: (line) => console.error(`• ${line}`) });
console.log(JSON.stringify(outcome));
