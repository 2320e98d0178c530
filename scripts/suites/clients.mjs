// Runs the tests that need programs people use, unmodified, against the emulator and through the gateway. They are large, so they are installed
// below .cache/, where those tests look for them; without them the tests say so and skip.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installBelowCache } from '../install.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
installBelowCache('clients', [
  '@openai/codex@0.171',
  'opencode-ai@1.18',
  '@earendil-works/pi-coding-agent@1.6',
  '@openai/agents@0.20',
  'openai-6@npm:openai@6.49',
  'openai-7@npm:openai@7.59',
  // Clients that need a newer Node than the tests run on get this one.
  'node@24',
]);
const args = [join(root, 'scripts', 'test.mjs'), '--file-timeout-ms=900000', 'test/clients'];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
process.exit(status ?? 1);
