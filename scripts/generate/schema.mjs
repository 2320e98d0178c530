// Writes the JSON Schemas that editors use for agent files and for the emulator's scripts, from the definitions that check them. Run it
// after a change there: a test fails while a file differs.
import { writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentJsonSchema } from '../../packages/turnwire/dist/config/json-schema.js';
import { configJsonSchema } from '../../packages/gateway/dist/config/json-schema.js';
import { scriptJsonSchema } from '../../packages/emulator/dist/sources/script/script-json-schema.js';

const schemas = [
  { name: 'turnwire/schema/agent.schema.json', schema: agentJsonSchema() },
  { name: 'emulator/schema/script.schema.json', schema: scriptJsonSchema() },
  { name: 'gateway/schema/gateway.schema.json', schema: configJsonSchema() },
];
const oxfmt = fileURLToPath(
  new URL(
    join('..', '..', 'node_modules', '.bin', process.platform === 'win32' ? 'oxfmt.cmd' : 'oxfmt'),
    import.meta.url,
  ),
);
for (const { name, schema } of schemas) {
  const file = fileURLToPath(new URL(`../../packages/${name}`, import.meta.url));
  writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
  spawnSync(oxfmt, [file], { stdio: 'inherit', shell: process.platform === 'win32' });
  console.log(`Wrote ${file}`);
}
