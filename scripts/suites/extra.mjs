// Runs the tests that need what is too large for every install:
// - Vitest and Jest (in node and in jsdom), for their examples; Bun and Deno, for the programs of the README; the Agents SDK against the emulator;
// - Apache and Caddy around the gateway, where they are installed;
// - the MCP project's own servers against the agent (behind nginx and haproxy, too, where these are installed); the client below mocks of HTTP;
// - the site, in a browser; the SDKs that npm picks on Node 20, for the examples and the types.
// They are installed below .cache/, where those tests look for them; without them the tests say so and skip. The Agents SDK needs the global
// WebSocket of Node 22 or later: on an older Node its test skips here too, and `npm run test:versions -- agents-sdk` runs it afterwards.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installBelowCache } from '../install.mjs';
import { installVitePress } from '../site/site.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
installBelowCache('extra', [
  'vitest@4.1',
  'jest@30',
  'jest-environment-jsdom@30',
  'bun@1',
  'deno@2',
  '@openai/agents@0.20',
  'msw@2',
  'nock@14',
  'nock15@npm:nock@15',
  'undici@7',
  ...['everything', 'filesystem', 'memory'].map((name) => `@modelcontextprotocol/server-${name}@2026.8.31`),
]);
installBelowCache('sdks-node-20', [
  'openai@6',
  'ai@6',
  '@ai-sdk/openai@3',
  '@langchain/openai@1.5',
  '@langchain/core@1.4',
]);
// The test of the site has three minutes, of which an installation would take most.
installVitePress();
const words = [
  'test-runners',
  'agents-sdk',
  'docs/runtimes',
  'docs/examples',
  'docs/site',
  'openai-types',
  'official-servers',
  'mocks',
  'gateway/middleboxes',
];
const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'test.mjs'), ...words], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
process.exit(status ?? 1);
