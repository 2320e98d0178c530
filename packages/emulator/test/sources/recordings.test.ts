import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EmulatorError, startEmulator } from '../../dist/index.js';
import { json, postJson, postSse, RawSocket, sharedFolder } from '../wire.js';

/** The folder of recordings: those of real traffic beside the repository if they exist, else those in the repository. */
const folder = sharedFolder('recordings') ?? fileURLToPath(new URL('../../../../test/recordings/', import.meta.url));

/** The number of responses in a recording, counted by their `response.created` without the code under test. */
function countResponses(lines: readonly string[]): number {
  return lines.filter((line) => json(line)['type'] === 'response.created').length;
}

test('every recording is sent unchanged, over SSE and over a socket', async (t) => {
  const emulator = await startEmulator({ recordings: folder });
  t.after(() => emulator.close());
  const files = (await readdir(folder)).filter((file) => file.endsWith('.jsonl'));
  assert.ok(files.length > 0);
  for (const file of files) {
    const lines: readonly string[] = (await readFile(join(folder, file), 'utf8')).trimEnd().split('\n');
    const model = `recording/${file.replace('.jsonl', '')}`;
    const overSse: string[] = [];
    for (let i = 0; i < countResponses(lines); i += 1) {
      for (const { event, data } of await postSse(emulator.url, { model, input: 'go' })) {
        assert.equal(event, json(data)['type']);
        overSse.push(data);
      }
    }
    assert.deepEqual(overSse, lines, file);

    const socket = await RawSocket.open(emulator.url);
    const overSocket: string[] = [];
    for (let i = 0; i < countResponses(lines); i += 1) socket.create({ model, input: 'go' });
    while (overSocket.length < lines.length) overSocket.push(await socket.frame());
    assert.deepEqual(overSocket, lines, file);
    socket.close();
  }
});

function response(id: string, callId: string): readonly string[] {
  const item = {
    id: `fc_${id}`,
    type: 'function_call',
    call_id: callId,
    name: 'f',
    arguments: '{}',
    status: 'completed',
  };
  return [
    {
      type: 'response.created',
      sequence_number: 0,
      response: { id, object: 'response', status: 'in_progress', output: [] },
    },
    { type: 'response.output_item.done', sequence_number: 1, output_index: 0, item },
    // P58: the terminal event has no output.
    {
      type: 'response.completed',
      sequence_number: 2,
      response: { id, object: 'response', status: 'completed', output: [] },
    },
  ].map((event) => JSON.stringify(event));
}

async function folderWith(
  t: { after(fn: () => Promise<void>): void },
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-recordings-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

test('a recording of several responses follows the conversation: by id, by full history, or in order', async (t) => {
  const folder = await folderWith(t, {
    'two.jsonl': `${[...response('resp_1', 'call_1'), ...response('resp_2', 'call_2')].join('\n')}\n`,
  });
  const emulator = await startEmulator({ recordings: folder });
  t.after(() => emulator.close());
  const model = 'recording/two';
  const id = async (body: object) => (await postJson(emulator.url, { model, ...body }))['id'];

  assert.equal(await id({ input: 'go' }), 'resp_1');
  assert.equal(
    await id({
      input: [{ type: 'function_call_output', call_id: 'call_1', output: '' }],
      previous_response_id: 'resp_1',
    }),
    'resp_2',
  );
  const call = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' };
  assert.equal(
    await id({
      input: [{ role: 'user', content: 'go' }, call, { type: 'function_call_output', call_id: 'call_1', output: '' }],
    }),
    'resp_2',
  );
  assert.equal(await id({ input: 'go' }), 'resp_1');
  assert.equal(await id({ input: 'go' }), 'resp_2');
  assert.equal(await id({ input: 'go' }), 'resp_1');
  assert.equal(emulator.journal.turns()[0]?.output[0]?.['call_id'], 'call_1');
});

test('a recording that is missing or outside of the folder is refused by its name', async (t) => {
  const folder = await folderWith(t, { 'bad.jsonl': 'no json\n', 'empty.jsonl': '' });
  const emulator = await startEmulator({ recordings: folder });
  t.after(() => emulator.close());
  for (const name of ['nothing', '../two', '..', '', 'a/b', 'bad', 'empty', 'a\0b']) {
    const refused = await postJson(emulator.url, { model: `recording/${name}`, input: 'x' });
    assert.equal(refused.httpStatus, 400, name);
    assert.equal(refused['error']?.['param'], 'model');
    assert.ok(String(refused['error']?.['message']).includes(JSON.stringify(name)), name);
  }
});

test('a symbolic link that leads out of the folder is not followed; a link within the folder is', async (t) => {
  const outside = await mkdtemp(join(tmpdir(), 'outside-'));
  const folder = await mkdtemp(join(tmpdir(), 'recordings-'));
  t.after(() => Promise.all([outside, folder].map((each) => rm(each, { recursive: true }))));
  const event = { type: 'response.completed', response: { id: 'resp_1', status: 'completed', output: [] } };
  await writeFile(join(outside, 'secret.jsonl'), `${JSON.stringify(event)}\n`);
  await writeFile(join(folder, 'real.jsonl'), `${JSON.stringify(event)}\n`);
  await symlink(join(outside, 'secret.jsonl'), join(folder, 'out.jsonl'));
  await symlink(join(folder, 'real.jsonl'), join(folder, 'in.jsonl'));
  const emulator = await startEmulator({ recordings: folder });
  t.after(() => emulator.close());
  const out = await postJson(emulator.url, { model: 'recording/out', input: 'x' });
  assert.match(out['error']?.message, /a link that leads out of the folder/);
  assert.equal((await postJson(emulator.url, { model: 'recording/in', input: 'x' })).id, 'resp_1');
  const models = json(await (await fetch(`${emulator.url}/models`)).text());
  const listed = models.data.map(({ id }: { id: string }) => id).filter((id: string) => id.startsWith('recording/'));
  assert.deepEqual(listed, ['recording/in', 'recording/real']);
});

test('a folder of recordings that does not exist is refused at start', async () => {
  await assert.rejects(
    startEmulator({ recordings: 'no-such-folder' }),
    (error) => error instanceof EmulatorError && error.code === 'recordings_not_found',
  );
});
