import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { EmulatorError, startEmulator, startRecorder } from '../dist/index.js';
import { postJson, postSse, json, RawSocket, sharedFolder, terminal } from './wire.js';

test('several emulators run in one process, each on its own port, and a port in use is refused in one sentence', async (t) => {
  const emulators = await Promise.all(Array.from({ length: 20 }, () => startEmulator()));
  t.after(() => Promise.all(emulators.map((emulator) => emulator.close())));
  assert.equal(new Set(emulators.map(({ port }) => port)).size, 20);
  const port = emulators[0]?.port ?? assert.fail();
  await assert.rejects(
    startEmulator({ port }),
    (error) => error instanceof EmulatorError && error.code === 'port_in_use' && error.message.includes(String(port)),
  );
});

test('invalid options are refused by name', async () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ prot: 1 }, 'prot'],
    [{ port: 70_000 }, 'port'],
    [{ port: '80' }, 'port'],
    [{ limits: { frameByte: 1 } }, 'limits.frameByte'],
    [{ limits: { frameBytes: 0 } }, 'limits.frameBytes'],
    [{ latency: { firstTokenMs: -1 } }, 'latency.firstTokenMs'],
    [{ script: 5 }, 'script'],
  ];
  for (const [options, name] of wrong) {
    await assert.rejects(
      startEmulator(options),
      (error) =>
        error instanceof EmulatorError && error.code === 'invalid_option' && error.message.includes(`"${name}"`),
    );
  }
  for (const [options, message] of [
    [{ replay: { file: 'f', timing: 'at_once' } }, /"replay.timing" .*did you mean "at-once"/],
    [{ clock: { speeed: 1 } }, /"clock" .*expected \{ speed \}/],
    [{ log: console }, /"log" .*expected a function/],
    [{ seed: {} }, /"seed" .*expected a text or a number/],
  ] as const) {
    // @ts-expect-error These are no options of an emulator.
    await assert.rejects(startEmulator(options), message);
  }
  await assert.rejects(
    startEmulator({ host: '192.0.2.1' }),
    (error) => error instanceof EmulatorError && error.code === 'address_not_available',
  );
});

test('invalid options of a recorder are refused by name', async () => {
  const right = { upstream: 'http://127.0.0.1:1/v1', file: 'never-written' };
  for (const [options, message] of [
    [{ allowedHost: ['x'] }, /"allowedHost"; did you mean "allowedHosts"/],
    [{ upstream: 5 }, /"upstream"/],
    [{ file: undefined }, /"file"/],
    [{ port: '80' }, /"port"/],
    [{ secrets: 'secret-1' }, /"secrets"/],
    [{ secrets: ['short'] }, /"secrets.0" .*8 characters/],
  ] as const) {
    // @ts-expect-error These are no options of a recorder.
    const started = startRecorder({ ...right, ...options });
    await assert.rejects(
      started,
      (error) => error instanceof EmulatorError && error.code === 'invalid_option' && message.test(error.message),
    );
  }
});

test('ids depend on the seed and the order alone', async (t) => {
  const idOf = async (seed: string) => {
    const emulator = await startEmulator({ seed });
    t.after(() => emulator.close());
    return (await postJson(emulator.url, { model: 'm', input: 'x' }))['id'];
  };
  assert.equal(await idOf('a'), await idOf('a'));
  assert.notEqual(await idOf('a'), await idOf('b'));
  assert.match(String(await idOf('a')), /^resp_[0-9a-f]{50}$/);
});

test("usage: a token is four bytes of the input's JSON or of the generated text, and a context that was seen before is cached", async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const input = [{ role: 'user', content: 'one' }];
  const first = await postJson(emulator.url, { model: 'm', input });
  const bytes = JSON.stringify(['m', null, []]).length + JSON.stringify(input[0]).length;
  assert.equal(first['usage']?.['input_tokens'], Math.ceil(bytes / 4));
  assert.equal(first['usage']?.['output_tokens'], Math.ceil('one'.length / 4));
  assert.equal(first['usage']?.['input_tokens_details']?.['cached_tokens'], 0);

  const next = { role: 'user', content: 'two' };
  const byId = await postJson(emulator.url, { model: 'm', input: [next], previous_response_id: first['id'] });
  const inFull = await postJson(emulator.url, { model: 'm', input: [...input, ...(first['output'] ?? []), next] });
  const cached = Math.ceil((bytes + JSON.stringify(first['output']?.[0]).length) / 4);
  assert.equal(byId['usage']?.['input_tokens_details']?.['cached_tokens'], cached);
  assert.equal(inFull['usage']?.['input_tokens'], byId['usage']?.['input_tokens']);
  assert.equal(inFull['usage']?.['input_tokens_details']?.['cached_tokens'], inFull['usage']?.['input_tokens']);
});

test('the store is bounded: the oldest responses are dropped, and chains that need them can no longer be continued', async (t) => {
  const emulator = await startEmulator({ limits: { storedResponses: 3 } });
  t.after(() => emulator.close());
  const ids: string[] = [];
  for (let turn = 0; turn < 4; turn += 1) {
    const previous = ids.at(-1);
    const response = await postJson(emulator.url, {
      model: 'm',
      input: 'x',
      ...(previous && { previous_response_id: previous }),
    });
    ids.push(response['id'] ?? assert.fail());
  }
  const statuses = await Promise.all(ids.map(async (id) => (await fetch(`${emulator.url}/responses/${id}`)).status));
  assert.deepEqual(statuses, [404, 200, 200, 200]);
  const broken = await postJson(emulator.url, { model: 'm', input: 'x', previous_response_id: ids[3] });
  assert.equal(broken['error']?.['code'], 'previous_response_not_found');
});

test('the journal is bounded and can be cleared, and its numbers go on', async (t) => {
  const emulator = await startEmulator({ limits: { journalEntries: 2 } });
  t.after(() => emulator.close());
  for (let turn = 0; turn < 3; turn += 1) await postJson(emulator.url, { model: 'm', input: 'x' });
  assert.deepEqual(
    emulator.journal.turns().map(({ number }) => number),
    [2, 3],
  );
  emulator.journal.clear();
  await postJson(emulator.url, { model: 'm', input: 'x' });
  assert.deepEqual(
    emulator.journal.turns().map(({ number }) => number),
    [4],
  );
});

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

/** Checks a value by the part of JSON Schema that the document uses. Returns the path of the first failure; undefined for a valid value. */
function fault(
  value: unknown,
  schema: Schema,
  all: Readonly<Record<string, Schema>>,
  path: string,
): string | undefined {
  if (schema.$ref !== undefined)
    return fault(value, all[schema.$ref.replace('#/components/schemas/', '')] ?? assert.fail(schema.$ref), all, path);
  for (const each of schema.allOf ?? []) {
    const found = fault(value, each, all, path);
    if (found !== undefined) return found;
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) {
    const faults = choices.map((choice) => fault(value, choice, all, path));
    return faults.includes(undefined) ? undefined : faults.join(' | ');
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) return `${path} is not one of ${schema.enum.join()}`;
  const kind =
    value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
  if (schema.type !== undefined && schema.type !== kind && !(schema.type === 'number' && kind === 'integer'))
    return `${path} is ${kind}, not ${schema.type}`;
  if (Array.isArray(value) && schema.items !== undefined) {
    for (const [index, each] of value.entries()) {
      const found = fault(each, schema.items, all, `${path}[${index}]`);
      if (found !== undefined) return found;
    }
  }
  if (kind !== 'object') return undefined;
  const fields = new Map(Object.entries(Object(value)));
  for (const name of schema.required ?? []) if (!fields.has(name)) return `${path}.${name} is missing`;
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    const found = fields.has(name) ? fault(fields.get(name), each, all, `${path}.${name}`) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

const schemaFolder = sharedFolder('schema');

test(
  'every event of a turn is valid by the OpenResponses document',
  { skip: schemaFolder === undefined && 'no OpenAPI document here' },
  async (t) => {
    const document = JSON.parse(await readFile(`${schemaFolder}/openresponses.openapi.json`, 'utf8'));
    const all: Readonly<Record<string, Schema>> = document.components.schemas;
    const byType = new Map<unknown, Schema>();
    for (const [name, schema] of Object.entries(all)) {
      if (name.endsWith('StreamingEvent')) byType.set(schema.properties?.['type']?.enum?.[0], schema);
    }
    assert.ok(byType.size > 20);
    const emulator = await startEmulator({
      script: {
        rules: [
          { match: { input: 'fail' }, reply: { fail: { code: 'server_error', message: 'no' } } },
          { match: { input: 'cut' }, reply: { text: 'x', incomplete: 'content_filter' } },
          {
            match: { input: 'all' },
            reply: { reasoning: 'r s', text: 'a b', refusal: 'no', calls: [{ name: 'f', arguments: { a: 1 } }] },
          },
        ],
      },
    });
    t.after(() => emulator.close());
    const tools = [{ type: 'function', name: 'f', parameters: { type: 'object' } }];
    const seen = new Set<unknown>();
    for (const input of ['fail', 'cut', 'all']) {
      for (const { data } of await postSse(emulator.url, { model: 'm', input, tools, reasoning: { effort: 'low' } })) {
        const event = json(data);
        const schema = byType.get(event['type']) ?? assert.fail(`the document does not know ${event['type']}`);
        assert.equal(fault(event, schema, all, String(event['type'])), undefined);
        seen.add(event['type']);
      }
    }
    assert.equal(seen.size, 19);
    const socket = await RawSocket.open(emulator.url);
    for (const body of [
      { model: 'm', input: 'x' },
      { model: 'm' },
      { model: 'm', input: [{ type: 'function_call_output', call_id: 'c', output: '' }] },
    ]) {
      const error = terminal(await socket.ask(body));
      assert.equal(fault(error, all['WebSocketErrorEvent'] ?? assert.fail(), all, 'error'), undefined);
    }
  },
);
