import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { scriptJsonSchema } from '../../dist/sources/script/script-json-schema.js';
import { json } from '../wire.js';

const file = new URL('../../schema/script.schema.json', import.meta.url);

test('the JSON Schema in the package equals the one that is made of the definition', async () => {
  const shipped = json(await readFile(file, 'utf8'));
  assert.deepEqual(
    shipped,
    json(JSON.stringify(scriptJsonSchema())),
    'packages/emulator/schema/script.schema.json is not up to date; write it anew from scriptJsonSchema()',
  );
});

test('the JSON Schema accepts a script with every key, and refuses a misspelt key', async () => {
  const schema = z.fromJSONSchema(json(await readFile(file, 'utf8')));
  const script = `
pace: { tokens_per_second: 40 }
rules:
  - match: { input: /weather/i }
    reply: { calls: [{ name: weather, as: sky, arguments: { city: Bonn } }] }
turns:
  - reasoning: [One., Two.]
    text: Hello.
    phase: final_answer
  - output:
      - reasoning: Hm.
      - tool: { type: web_search_call, action: { type: search, query: news } }
      - text: Found.
        annotations: [{ type: url_citation, url: "https://example.com" }]
      - call: { name: sql, input: SELECT 1 }
  - error: { status: 429, code: rate_limit_exceeded }
after: echo
`;
  assert.equal(schema.safeParse(parse(script)).error, undefined);
  assert.equal(schema.safeParse({ turns: [{ txet: 'x' }] }).success, false);
  assert.equal(schema.safeParse({ turns: [{ output: [{ tool: { type: 'web_search_cal' } }] }] }).success, false);
});
