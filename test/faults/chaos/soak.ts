// npm run soak -- --turns 20000 [--seed 7]: chaos until so many turns are done, a server and a client for each few hundred of them.
import { parseArgs } from 'node:util';
import { chaos } from './chaos.js';
import { Tally } from './tally.js';

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '2000' },
    seed: { type: 'string' },
    gateway: { type: 'boolean', default: false },
  },
});
const wanted = Number(values.turns);
const first = Number(values.seed ?? Date.now() % 1_000_000);
if (!Number.isInteger(wanted) || wanted < 1 || !Number.isInteger(first)) {
  console.error('--turns and --seed take whole numbers, as in "npm run soak -- --turns 20000 --seed 7".');
  process.exit(2);
}

/** At the same time, over one client: while some of them wait out a silence, the others go on. */
const conversations = 48;
const mostTurns = 12;

const all = new Tally();
let seed = first;
// Ended early, it still says what it has seen.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, finish);
for (; all.turns < wanted; seed += 1) {
  const turns = Math.min(mostTurns, Math.ceil((wanted - all.turns) / conversations));
  const tally = await chaos({ seed, conversations, turns, gateway: values.gateway });
  all.add(tally);
  for (const what of tally.wrong) console.log(what);
  if (tally.wrong.length > 0)
    console.log(
      `seed ${seed} failed; again, alone: npm run soak --${values.gateway ? ' --gateway' : ''} --turns ${conversations * turns} --seed ${seed}`,
    );
  if (process.stderr.isTTY) process.stderr.write(`\r${all.turns} of ${wanted} turns`);
}
finish();

function finish(): never {
  console.log(`\nseeds ${first} to ${seed - 1}\n${String(all)}`);
  process.exit(all.wrong.length === 0 ? 0 : 1);
}
