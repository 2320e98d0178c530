// P18, P60, P126, P127: what Codex sends beside plain turns, unmodified, and what it does with the answers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTestAuthority } from '@turnwire/emulator';
import { needs, newerNode, start, startProcess, ways } from '../client.js';
import { codexApp } from './codex.js';

const story = { text: 'one two three four five six seven eight', pace: { tokens_per_second: 2 } };

for (const [how, reach] of ways)
  describe(`Codex${how}, compaction`, () => {
    for (const webSockets of [true, false])
      test(
        `/compact with its own provider sends compaction_trigger${webSockets ? '' : ', over SSE too'}`,
        needs('codex'),
        async (t) => {
          const emulator = await start(t, { turns: [{ text: 'First.' }, { text: 'Second.' }] });
          const app = await codexApp(t, { baseURL: await reach(t, emulator.url), webSockets, provider: 'OpenAI' });
          assert.equal(await app.ask('One.'), 'completed');
          assert.equal(await app.compact(), 'completed');
          assert.equal(await app.ask('Two.'), 'completed');
          assert.deepEqual(app.answers, ['First.', 'Second.']);
          const [compacted, next] = emulator.journal.turns().slice(-2);
          assert.deepEqual(
            compacted?.output.map(({ type }) => type),
            ['compaction'],
          );
          assert(next?.transcript.some(({ type }) => type === 'compaction'));
        },
      );

    test('/compact with a provider of its configuration asks for a summary', needs('codex'), async (t) => {
      const emulator = await start(t, { turns: [{ text: 'First.' }, { text: 'The summary.' }, { text: 'Third.' }] });
      const app = await codexApp(t, { baseURL: await reach(t, emulator.url), webSockets: true });
      await app.ask('One.');
      assert.equal(await app.compact(), 'completed');
      await app.ask('Two.');
      assert(JSON.stringify(emulator.journal.turns().at(-1)?.transcript).includes('The summary.'));
    });

    test('Codex compacts by itself near its limit', needs('codex'), async (t) => {
      const emulator = await start(t, { turns: [{ text: 'word '.repeat(3000) }, { text: 'Second.' }] });
      const lines = ['model_auto_compact_token_limit = 5000'];
      const app = await codexApp(t, {
        baseURL: await reach(t, emulator.url),
        webSockets: true,
        provider: 'OpenAI',
        lines,
      });
      await app.ask('One.');
      assert.equal(await app.ask('Two.'), 'completed');
      assert.equal(app.answers.at(-1), 'Second.');
      const kinds = emulator.journal.turns().flatMap(({ output }) => output.map(({ type }) => type));
      assert(kinds.includes('compaction'), kinds.join());
    });
  });

for (const [how, reach] of ways)
  describe(`Codex${how}, steering`, () => {
    test('a GPT-6 model: its running response is interrupted, and the input follows', needs('codex'), async (t) => {
      const emulator = await start(t, {
        rules: [{ match: { input: 'Shorter' }, reply: { text: 'Eight.' } }],
        turns: [story],
      });
      const app = await codexApp(t, { baseURL: await reach(t, emulator.url), webSockets: true, model: 'gpt-6-sol' });
      const turn = await app.begin('Count.');
      await app.until('item/agentMessage/delta');
      await app.steer('Shorter, please.', turn.id);
      assert.equal(await turn.ended, 'completed');
      assert.equal(app.answers.at(-1), 'Eight.');
      const [interrupted, next] = emulator.journal.turns().slice(-2);
      assert.equal(interrupted?.outcome, 'incomplete');
      // The gateway continues completed responses alone: what an interrupted one held goes up again.
      if (how === '') assert.deepEqual([next?.plan, next?.parent?.id], ['delta', interrupted.responseId]);
      else assert.equal(next?.plan, 'full');
      for (const text of ['Count.', 'Shorter, please.']) assert(JSON.stringify(next?.transcript).includes(text));
    });

    test('an older model: the input waits for the end of the response', needs('codex'), async (t) => {
      const emulator = await start(t, {
        turns: [{ text: 'one two three', pace: { tokens_per_second: 5 } }, { text: 'Eight.' }],
      });
      const app = await codexApp(t, { baseURL: await reach(t, emulator.url), webSockets: true });
      const turn = await app.begin('Count.');
      await app.until('item/agentMessage/delta');
      await app.steer('Shorter, please.', turn.id);
      assert.equal(await turn.ended, 'completed');
      assert.deepEqual(app.answers, ['one two three', 'Eight.']);
      assert(emulator.journal.turns().every(({ outcome }) => outcome === 'completed'));
    });

    test('an interrupt of the user ends the turn, and the next one is answered', needs('codex'), async (t) => {
      const emulator = await start(t, {
        rules: [{ match: { input: 'Again' }, reply: { text: 'Eight.' } }],
        turns: [story],
      });
      const app = await codexApp(t, { baseURL: await reach(t, emulator.url), webSockets: true });
      const turn = await app.begin('Count.');
      await app.until('item/agentMessage/delta');
      await app.interrupt(turn.id);
      assert.equal(await turn.ended, 'interrupted');
      assert.equal(await app.ask('Again.'), 'completed');
      assert.equal(app.answers.at(-1), 'Eight.');
      await emulator.settled();
      assert(emulator.journal.turns().some(({ outcome }) => outcome === 'aborted'));
    });
  });

describe('Codex with a ChatGPT login', () => {
  test('runs over a WebSocket, with TLS, and reads the limits of its account', needs('codex'), async (t) => {
    const authority = await createTestAuthority();
    const tls = authority.issue({ hosts: ['127.0.0.1'] });
    const emulator = await start(t, { turns: [{ text: 'First.' }, { text: 'Second.' }] }, { dialect: 'chatgpt', tls });
    const app = await codexApp(t, {
      baseURL: emulator.url,
      webSockets: true,
      provider: 'OpenAI',
      model: 'gpt-5.5',
      login: { ca: authority.cert },
    });
    assert.equal(await app.ask('One.'), 'completed');
    assert.equal(await app.ask('Two.'), 'completed');
    assert.deepEqual(app.answers, ['First.', 'Second.']);
    assert.deepEqual(
      emulator.journal.turns().map(({ transport, plan }) => [transport, plan]),
      [
        ['websocket', 'full'],
        ['websocket', 'delta'],
        ['websocket', 'delta'],
      ],
    );
    const limits = (await app.until('account/rateLimits/updated'))['rateLimits'];
    const { primary } = limits as { primary: { usedPercent: number; windowDurationMins: number } };
    assert.deepEqual([primary.usedPercent, primary.windowDurationMins], [0, 300]);
  });

  test('sends zstd over SSE, and repeats x-codex-turn-state within a turn', needs('codex'), async (t) => {
    const script = {
      turns: [
        { calls: [{ name: 'exec_command', arguments: { cmd: 'echo the-tool-ran' } }] },
        { text: 'The tool said so.' },
      ],
    };
    const { url, ca, journal } = await startProcess(t, newerNode, script, 'chatgpt');
    const app = await codexApp(t, {
      baseURL: url,
      webSockets: false,
      provider: 'OpenAI',
      model: 'gpt-5.5',
      login: { ca },
    });
    assert.equal(await app.ask('Use the tool.'), 'completed');
    assert.deepEqual(app.answers, ['The tool said so.']);
    const { turns, connections } = await journal();
    assert.deepEqual(
      turns.map(({ transport, outcome }) => [transport, outcome]),
      [
        ['sse', 'completed'],
        ['sse', 'completed'],
      ],
    );
    assert(connections.some(({ headers }) => headers['content-encoding'] === 'zstd'));
    assert(connections.some(({ headers }) => headers['x-codex-turn-state']?.startsWith('ts_')));
  });
});
