// Removes what the build made; dependencies and downloaded Node versions stay.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
for (const folder of [
  'packages/client/bundle',
  'packages/client/dist',
  'packages/client/dist-test',
  'packages/emulator/bundle',
  'packages/emulator/dist',
  'packages/emulator/dist-test',
  'packages/gateway/bundle',
  'packages/gateway/dist',
  'packages/gateway/dist-test',
  'packages/turnwire/bundle',
  'packages/turnwire/dist',
  'packages/turnwire/dist-test',
  'bench/dist',
  'bench/dist-test',
  'examples/dist',
  'dist-test',
]) {
  rmSync(join(root, folder), { recursive: true, force: true });
}
