import assert from 'node:assert/strict';
import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { InputItem } from '@turnwire/client';
import { SessionFolder } from '../../dist/agent/sessions/session-folder.js';
import { scratch } from './scratch.js';

const prompt: InputItem = { type: 'message', role: 'user', content: 'Go.' };
const call = (id: string): InputItem => ({ type: 'function_call', call_id: id, name: 'shell', arguments: '{}' });
const answer = (id: string): InputItem => ({ type: 'function_call_output', call_id: id, output: `done ${id}` });

async function folder(t: TestContext): Promise<{ place: string; sessions: SessionFolder }> {
  const place = join(await scratch(t), 'sessions');
  return { place, sessions: new SessionFolder(place) };
}

const unreadable = (message: string): never => {
  throw new Error(message);
};

describe('sessions that are kept', () => {
  test('a resumed session has its items, compaction, agent and usage', async (t) => {
    const { sessions } = await folder(t);
    const first = sessions.create('/agent.yaml', 'root');
    first.append({ kind: 'items', items: [prompt, call('a')] });
    first.append({ kind: 'items', items: [answer('a')] });
    first.append({ kind: 'compacted', items: [prompt] });
    first.append({ kind: 'agent', agent: 'helper' });
    const usage = { input_tokens: 10, cached_tokens: 4, output_tokens: 2, reasoning_tokens: 1 };
    first.append({ kind: 'usage', usage, cost: 0.5 });
    first.append({ kind: 'usage', usage });
    first.close();
    const again = sessions.resume(first.id);
    t.after(() => again.close());
    assert.deepEqual(again.state.items, [prompt]);
    assert.equal(again.state.agent, 'helper');
    const [listed] = sessions.list(unreadable);
    assert.equal(listed?.usage.input_tokens, 20);
    assert.equal(listed?.cost, 0.5);
    assert.equal(listed?.prompt, 'Go.');
  });

  test('C10: cut at any byte, a session goes on: whole lines count, every call has one answer, and what follows is read again', async (t) => {
    const { place, sessions } = await folder(t);
    const first = sessions.create('/agent.yaml', 'root');
    first.append({ kind: 'items', items: [prompt] });
    first.append({ kind: 'items', items: [call('a'), call('b')] });
    first.append({ kind: 'begun', call_id: 'a' });
    first.append({ kind: 'items', items: [answer('a')] });
    first.append({ kind: 'begun', call_id: 'b' });
    first.close();
    const path = join(place, `${first.id}.jsonl`);
    const whole = await readFile(path);
    const head = whole.indexOf('\n') + 1;
    const seen = new Set<string>();
    for (let length = head; length <= whole.length; length += 1) {
      await writeFile(path, whole.subarray(0, length));
      const cut = sessions.resume(first.id);
      const { items } = cut.state;
      cut.append({ kind: 'items', items: [{ ...prompt, content: 'On.' }] });
      cut.close();
      const outputs = items.flatMap((item) =>
        item.type === 'function_call_output' ? [`${item.call_id}: ${JSON.stringify(item.output)}`] : [],
      );
      seen.add(outputs.join(' | '));
      assert.equal(outputs.length, items.filter(({ type }) => type === 'function_call').length);
      const again = sessions.resume(first.id);
      assert.deepEqual(again.state.items, [...items, { ...prompt, content: 'On.' }]);
      again.close();
    }
    const lost = 'Error: the run was interrupted while this call ran; it may have had effects.';
    const not = 'Error: this call was not run, because the run ended first.';
    assert.deepEqual(
      [...seen].map((each) => each.replaceAll('"', '')),
      ['', `a: ${not} | b: ${not}`, `a: ${lost} | b: ${not}`, `a: done a | b: ${not}`, `a: done a | b: ${lost}`],
    );
  });

  test('a repeated id makes another call, which an earlier begun entry says nothing about', async (t) => {
    const { sessions } = await folder(t);
    const first = sessions.create('/agent.yaml', 'root');
    first.append({ kind: 'items', items: [prompt, call('a')] });
    first.append({ kind: 'begun', call_id: 'a' });
    first.append({ kind: 'items', items: [answer('a')] });
    first.append({ kind: 'items', items: [call('a')] });
    first.close();
    const again = sessions.resume(first.id);
    again.close();
    assert.deepEqual(again.state.items.at(-1), {
      type: 'function_call_output',
      call_id: 'a',
      output: 'Error: this call was not run, because the run ended first.',
    });
  });

  test('a session is open in one process; a lock that a killed one has left behind does not count', async (t) => {
    const { place, sessions } = await folder(t);
    const first = sessions.create('/agent.yaml', 'root');
    first.append({ kind: 'items', items: [prompt] });
    assert.throws(() => sessions.resume(first.id), /open in another process/);
    first.close();
    // No process has a number that large.
    await writeFile(join(place, `${first.id}.jsonl.lock`), '999999999\n');
    sessions.resume(first.id).close();
    assert.deepEqual(await readdir(place), [`${first.id}.jsonl`]);
  });

  test(
    'a lock of an ended process whose number is used again does not count; a lock of an older version does',
    { skip: process.platform !== 'linux' },
    async (t) => {
      const { place, sessions } = await folder(t);
      const first = sessions.create('/agent.yaml', 'root');
      t.after(() => first.close());
      first.append({ kind: 'items', items: [prompt] });
      const path = join(place, `${first.id}.jsonl.lock`);
      const lock = await readFile(path, 'utf8');
      // This process, as it would be after another boot, and as it would be if it had begun earlier in this one.
      for (const began of [lock.replace(/ [\w-]+\//, ' 0/'), lock.replace(/\/\d+/, '/1')]) {
        await writeFile(path, began);
        sessions.resume(first.id).close();
      }
      await writeFile(path, `${process.pid}\n`);
      assert.throws(() => sessions.resume(first.id), /open in another process .* delete .*\.jsonl\.lock/);
    },
  );

  test('-1 is the session used last; a path and an unknown id are refused', async (t) => {
    const { sessions } = await folder(t);
    const ids = ['a', 'b'].map(() => {
      const session = sessions.create('/agent.yaml', 'root');
      session.append({ kind: 'items', items: [prompt] });
      session.close();
      return session.id;
    });
    const [first = ''] = ids;
    const again = sessions.resume(first);
    again.append({ kind: 'items', items: [prompt] });
    again.close();
    const last = sessions.resume('-1');
    assert.equal(last.id, first);
    last.close();
    for (const wrong of ['-3', '../x', 'none', '']) assert.throws(() => sessions.resume(wrong), /there is no session/);
  });

  test('a file that is no session is named and left unchanged; an empty session is not kept; no file is readable by others', async (t) => {
    const { place, sessions } = await folder(t);
    sessions.create('/agent.yaml', 'root').close();
    assert.deepEqual(await readdir(place), []);
    const kept = sessions.create('/agent.yaml', 'root');
    kept.append({ kind: 'items', items: [prompt] });
    kept.close();
    const path = join(place, `${kept.id}.jsonl`);
    if (process.platform !== 'win32') assert.equal((await stat(path)).mode & 0o077, 0);
    await appendFile(path, '{"kind":"novel"}\n');
    const before = await readFile(path);
    assert.throws(() => sessions.resume(kept.id), /\.jsonl:3: this is no line of a session/);
    assert.deepEqual(await readFile(path), before);
    const said: string[] = [];
    assert.deepEqual(
      sessions.list((message) => said.push(message)),
      [],
    );
    assert.equal(said.length, 1);
  });
});
