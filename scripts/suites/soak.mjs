// Chaos for as long as you like: random faults over many conversations, until so many turns are done.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const usage = `npm run soak -- [cluster | sockets] [options]

  npm run soak -- --turns 20000
  npm run soak -- --turns 576 --seed 7              a seed that has failed, alone
  npm run soak -- cluster --turns 20000             several gateways, and Redis between them
  npm run soak -- --gateway --turns 20000           through a gateway, for clients of three tenants
  npm run soak -- sockets --minutes 10              2,000 sockets and 500 streams through "turnwire serve": its memory

cluster also takes --seed, --conversations, --fault-every TURNS (0: no faults), --pace-ms, --deadline-ms, --store BOOLEAN and --only WORDS of a row.
sockets also takes --sockets and --streams.
`;

const programs = { cluster: 'gateway/cluster/chaos/soak.js', sockets: 'gateway/soak/sockets.js' };
const [first, ...rest] = process.argv.slice(2);
if ([first, ...rest].some((argument) => argument === '--help' || argument === '-h')) {
  process.stdout.write(usage);
  process.exit(0);
}
const named = Object.hasOwn(programs, first ?? '') ? programs[first] : undefined;
const program = fileURLToPath(new URL(`../../dist-test/${named ?? 'faults/chaos/soak.js'}`, import.meta.url));
const { status } = spawnSync(process.execPath, [program, ...(named === undefined ? process.argv.slice(2) : rest)], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
