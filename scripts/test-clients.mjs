// Runs the tests that need programs people use, unmodified, against the emulator and through the gateway: Codex. Its binary is large, so it is
// installed below .cache/, where those tests look for it; without it the tests say so and skip.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installBelowCache } from './install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
installBelowCache('clients', ['@openai/codex@0.171']);
const args = [join(root, 'scripts', 'test.mjs'), '--file-timeout-ms=900000', 'test/clients'];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
process.exit(status ?? 1);
