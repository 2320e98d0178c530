// Chaos for as long as you like: random faults over many conversations, until so many turns are done.
//
//   npm run soak -- --turns 20000
//   npm run soak -- --turns 576 --seed 7              a seed that has failed, alone
//   npm run soak -- cluster --turns 20000             several gateways, and Redis between them
//   npm run soak -- --gateway --turns 20000           through a gateway, for clients of three tenants
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [first, ...rest] = process.argv.slice(2);
const isCluster = first === 'cluster';
const path = isCluster ? 'gateway/cluster/chaos/soak.js' : 'faults/chaos/soak.js';
const program = fileURLToPath(new URL(`../dist-test/${path}`, import.meta.url));
const { status } = spawnSync(process.execPath, [program, ...(isCluster ? rest : process.argv.slice(2))], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
