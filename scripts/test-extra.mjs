// Runs the tests that need what is too large for every install: Vitest and Jest for their examples, the Agents SDK against the emulator, the MCP
// project's own servers against the agent (behind nginx and haproxy, too, where these are installed), the client below mocks of HTTP.
// They are installed below .cache/, where those tests look for them; without them the tests say so and skip. The Agents SDK needs the global
// WebSocket of Node 22 or later: on an older Node its test skips here too, and `npm run test:versions -- agents-sdk` runs it afterwards.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.cache', 'extra');
const packages = [
  'vitest@4.1',
  'jest@30',
  '@openai/agents@0.20',
  'msw@2',
  'nock@14',
  'undici@7',
  ...['everything', 'filesystem', 'memory'].map((name) => `@modelcontextprotocol/server-${name}@2026.8.31`),
];

const isInstalled = (each) => existsSync(join(folder, 'node_modules', each.replace(/(?<=.)@.*$/, '')));
if (!packages.every(isInstalled)) {
  console.log(`Installing ${packages.join(', ')} below .cache/ ...`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-audit', '--no-fund', '--no-save', '--loglevel=error', ...packages];
  const cli = process.env['npm_execpath'];
  const { status } = cli
    ? spawnSync(process.execPath, [cli, ...args], { cwd: folder, stdio: 'inherit' })
    : spawnSync('npm', args, { cwd: folder, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) {
    console.error('They could not be installed: this command needs the network the first time.');
    process.exit(1);
  }
}
const words = ['test-runners', 'agents-sdk', 'official-servers', 'mocks'];
const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'test.mjs'), ...words], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
process.exit(status ?? 1);
