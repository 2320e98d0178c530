// Writes the JSON Schema that editors use for the emulator's scripts, from the definition that checks them. Run it after a change there:
// a test fails while the file differs.
import { writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scriptJsonSchema } from '../packages/turnwire/dist/emulator/script-json-schema.js';

const file = fileURLToPath(new URL('../packages/turnwire/schema/script.schema.json', import.meta.url));
writeFileSync(file, `${JSON.stringify(scriptJsonSchema(), null, 2)}\n`);
const oxfmt = fileURLToPath(
  new URL(join('..', 'node_modules', '.bin', process.platform === 'win32' ? 'oxfmt.cmd' : 'oxfmt'), import.meta.url),
);
spawnSync(oxfmt, [file], { stdio: 'inherit', shell: process.platform === 'win32' });
console.log(`Wrote ${file}`);
