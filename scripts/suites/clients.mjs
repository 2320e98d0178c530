// Runs the tests with unmodified client programs against the emulator and through the gateway. The programs are large, so they are installed below .cache/,
// where the tests look for them; without the programs the tests are skipped.
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
  // This version of Node is for clients that need a newer one than the tests run on.
  'node@24',
]);
const args = [join(root, 'scripts', 'test.mjs'), '--file-timeout-ms=900000', 'test/clients'];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
process.exit(status ?? 1);
