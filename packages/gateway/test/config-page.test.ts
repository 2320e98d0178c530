import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configJsonSchema } from '../dist/config/json-schema.js';

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  required?: string[];
  default?: unknown;
  description?: string;
}

/** Each setting with its default, as the page has it. */
function settings({ properties = {}, required = [] }: Schema, before = ''): string[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const name = before + key;
    if (schema.properties !== undefined) return settings(schema, `${name}.`);
    const option = schema.anyOf?.find((one) => one.properties !== undefined);
    if (option !== undefined) return [`| \`${name}\` | on |`, ...settings(option, `${name}.`)];
    if (schema.items?.properties !== undefined)
      return [`| \`${name}\` | none |`, ...settings(schema.items, `${name}[].`)];
    assert.notEqual(schema.description, undefined, `${name} is not described`);
    const none = required.includes(key) ? 'required' : 'none';
    return [`| \`${name}\` | ${schema.default === undefined ? none : `\`${JSON.stringify(schema.default)}\``} |`];
  });
}

test('docs/gateway.md has every setting with its default', () => {
  const page = readFileSync(new URL('../../../docs/gateway.md', import.meta.url), 'utf8');
  const rows = settings(configJsonSchema());
  assert(rows.length > 40);
  for (const row of rows) assert(page.includes(row), row);
  const written = page
    .split('\n')
    .filter((line) => /^\| `[a-z_]+(?:\[\])?[.\w[\]]*` \| (?:`|on|none|required)/.test(line));
  assert.equal(written.length, rows.length, 'a setting that there is not any more');
});
