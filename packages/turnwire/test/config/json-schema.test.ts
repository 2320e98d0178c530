import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../dist/config/config.js';
import { agentJsonSchema } from '../../dist/config/json-schema.js';

interface Node {
  properties?: Record<string, Node>;
  additionalProperties?: Node | false;
  items?: Node;
  oneOf?: Node[];
  anyOf?: Node[];
  const?: string;
  description?: string;
}

const schemaFile = new URL('../../schema/agent.schema.json', import.meta.url);
const json = (text: string): Node => JSON.parse(text) as Node;
const schema = json(await readFile(schemaFile, 'utf8'));
const page = await readFile(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8');
const examples = new URL('../../../../examples/agents/', import.meta.url);

test('the schema for editors is the one that the definition gives', () => {
  assert.deepEqual(
    schema,
    json(JSON.stringify(agentJsonSchema())),
    'packages/turnwire/schema/agent.schema.json is not up to date; run npm run schema',
  );
});

const checked = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);

for (const name of await readdir(examples)) {
  if (!name.endsWith('.yaml')) continue;
  test(`examples/agents/${name} is valid, for turnwire and for editors`, async () => {
    const path = fileURLToPath(new URL(name, examples));
    const { root, agents } = await loadConfig(path);
    assert.equal(root.name, 'root');
    assert(agents.size > 0);
    assert.equal(checked.safeParse(parse(await readFile(path, 'utf8'))).error, undefined);
  });
}

test('the schema for editors rejects wrong files', () => {
  const agents = (fields: object) => checked.safeParse({ agents: { root: { model: 'openai/x', ...fields } } }).success;
  assert.equal(agents({}), true);
  assert.equal(agents({ modle: 'x' }), false);
  assert.equal(agents({ toolsets: [{ type: 'filesytem' }] }), false);
  assert.equal(agents({ toolsets: [{ type: 'think', command: 'x' }] }), false);
  assert.equal(agents({ max_iterations: -1 }), false);
  assert.equal(checked.safeParse({ agents: {}, rag: {} }).success, false);
});

test('every key of the schema has a description', () => {
  const silent: string[] = [];
  const visit = (node: Node, path: string): void => {
    for (const [key, inner] of Object.entries(node.properties ?? {})) {
      if (path.endsWith('structured_output.schema')) continue;
      if (inner.description === undefined) silent.push(`${path}.${key}`);
      visit(inner, `${path}.${key}`);
    }
    if (node.additionalProperties) visit(node.additionalProperties, `${path}.NAME`);
    if (node.items) visit(node.items, `${path}.*`);
    for (const option of [...(node.oneOf ?? []), ...(node.anyOf ?? [])]) visit(option, path);
  };
  visit(schema, '');
  assert.deepEqual(silent, []);
});

/** What stands under a heading of docs/configuration.md. */
function section(heading: string): string {
  const start = page.indexOf(`\n${heading}\n`);
  assert(start >= 0, `there is no heading ${heading}`);
  return page.slice(start + heading.length + 2).split(/\n##+ /, 1)[0] ?? '';
}

/** The keys of the table there, from its first column. */
function documented(heading: string): string[] {
  return section(heading)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, key]) => String(key)))
    .sort();
}

/** What an entry of a mapping at the top is: the first kind, where there are several. */
const entry = (key: string): Node => {
  const node: Node = schema.properties?.[key]?.additionalProperties || {};
  return node.anyOf?.[0] ?? node;
};
const at = (node: Node, ...path: string[]): Node =>
  path.reduce<Node>((inner, key) => inner.properties?.[key] ?? {}, node);

const places: Readonly<Record<string, Node>> = {
  '## The file': schema,
  '## `models.NAME`': entry('models'),
  '### `provider_opts`': at(entry('models'), 'provider_opts'),
  '### `cost`': at(entry('models'), 'cost'),
  '## `providers.NAME`': entry('providers'),
  '## `agents.NAME`': entry('agents'),
  '### `fallback`': at(entry('agents'), 'fallback'),
  '### `cache`': at(entry('agents'), 'cache'),
  '## `budget`': at(schema, 'budget'),
  '### `structured_output`': at(entry('agents'), 'structured_output'),
  '### `hooks`': at(entry('agents'), 'hooks'),
  '## `permissions`': at(schema, 'permissions'),
};
for (const [heading, node] of Object.entries(places)) {
  test(`docs/configuration.md has every key of "${heading}", and no other`, () => {
    assert.deepEqual(documented(heading), Object.keys(node.properties ?? {}).sort());
  });
}

test('docs/configuration.md has every toolset with its keys, and no other', () => {
  const page = section('## Toolsets');
  const rows = [...page.matchAll(/^\| `(\w+)` \|(?: `(\w+)`)? \|/gm)];
  const common = [...page.matchAll(/^- `(\w+)(?:: true)?`:/gm)].map(([, key = '']) => key);
  assert.deepEqual(common, ['tools', 'instruction', 'defer', 'model', 'toon', 'readonly']);
  const expected = (at(entry('agents'), 'toolsets').items?.oneOf ?? []).flatMap(({ properties = {} }) => {
    const keys = Object.keys(properties).filter((key) => key !== 'type' && !common.includes(key));
    const { type } = properties;
    return (keys.length === 0 ? [''] : keys).map((key) => `${type?.const} ${key}`);
  });
  assert(expected.length > 0);
  assert.deepEqual(rows.map(([, type, key = '']) => `${type} ${key}`).sort(), expected.sort());
});
