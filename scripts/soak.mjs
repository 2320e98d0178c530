// Chaos for as long as you like: random faults over many conversations, until so many turns are done.
//
//   npm run soak -- --turns 20000
//   npm run soak -- --turns 576 --seed 7      a seed that has failed, alone
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../dist-test/faults/chaos/soak.js', import.meta.url));
const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
