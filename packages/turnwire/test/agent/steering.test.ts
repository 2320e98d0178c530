import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { createClient } from '@turnwire/client';
import { z } from 'zod';
import type { AgentEvent } from '../../dist/agent/events.js';
import { createSession, type Session } from '../../dist/agent/session.js';
import { defineTool } from '../../dist/agent/tools/tool.js';
import { startEmulator, type Emulator, type Script } from '@turnwire/emulator';
import { agent } from './agent.js';

interface Setting {
  model?: string;
  transport?: 'websocket' | 'sse';
  onFirstEvent?: () => void;
}

const look = defineTool({
  name: 'look',
  description: 'Looks.',
  readOnly: true,
  input: z.object({}),
  run: () => Promise.resolve('seen'),
});

async function start(
  t: TestContext,
  script: Script,
  { model = 'gpt-6', transport = 'websocket', onFirstEvent }: Setting = {},
) {
  const emulator = await startEmulator({ script, latency: { tokensPerSecond: 20 } });
  const client = createClient({
    baseUrl: emulator.url,
    apiKey: 'none',
    transport,
    onEvent: ({ name }) => (name === 'first-event' ? onFirstEvent?.() : undefined),
  });
  t.after(() => {
    client.destroy();
    return emulator.close();
  });
  const kept: unknown[] = [];
  const session = createSession({
    client,
    agent: { ...agent, model: { ...agent.model, model } },
    tools: [look],
    approval: 'yolo',
    keeper: { append: (entry) => void kept.push(...(entry.kind === 'items' ? entry.items : [])) },
  });
  return { emulator, session, kept };
}

/** Runs a prompt, and says something at the first sign of an answer. */
async function interrupted(session: Session, text: string) {
  const events: AgentEvent[] = [];
  let heard: Promise<string> | undefined;
  for await (const event of session.run('go')) {
    events.push(event);
    if (event.type === 'agent_choice_reasoning') heard ??= session.say(text);
  }
  return { events, heard: await heard };
}

/** What the model was told last, in short. */
function told({ journal }: Emulator): string[] {
  const items = journal.turns().at(-1)?.transcript ?? [];
  return items.map(({ type, role, content }) => (role === 'user' ? String(inText(content)) : String(type)));
}

const inText = (content: unknown) => (typeof content === 'string' ? content : Object(content)[0]?.text);
const short = (items: readonly unknown[]) =>
  items.map((item) => {
    const { type, role, content } = item as { type?: string; role?: string; content?: unknown };
    return role === 'user' ? String(inText(content)) : String(type);
  });

describe('steering of an agent', () => {
  test('a turn that runs is steered: both answers and the input between them are in the history and in the stored session', async (t) => {
    const script = {
      turns: [{ reasoning: 'Long long thoughts.', text: 'A long story.' }, { text: 'Short.' }, { text: 'Bye.' }],
    };
    const { emulator, session, kept } = await start(t, script);
    const { events, heard } = await interrupted(session, 'Shorter!');
    assert.equal(heard, 'steered');
    const expected = ['go', 'reasoning', 'Shorter!', 'message'];
    assert.deepEqual(short(session.history), expected);
    assert.deepEqual(short(kept), expected);
    const texts = events.flatMap((event) => (event.type === 'agent_choice' ? [event.content] : []));
    assert.equal(texts.join(''), 'Short.');
    // Both responses are paid for.
    assert.equal(events.filter(({ type }) => type === 'token_usage').length, 2);
    await session.run('and?').result();
    assert.deepEqual(told(emulator), [...expected, 'and?']);
    assert.equal(emulator.journal.turns().at(-1)?.plan, 'delta');
    assert.deepEqual(session.unheard(), []);
  });

  test('where the turn stops for tools, the input goes before their results, once, also in the history', async (t) => {
    const script = { turns: [{ calls: [{ name: 'look' }] }, { text: 'Seen.' }] };
    let heard: Promise<string> | undefined;
    const onFirstEvent = () => void (heard ??= session.say('Shorter!'));
    const { emulator, session, kept } = await start(t, script, { onFirstEvent });
    await session.run('go').result();
    assert.equal(await heard, 'steered');
    const expected = ['go', 'function_call', 'Shorter!', 'function_call_output'];
    assert.deepEqual(told(emulator), expected);
    assert.equal(emulator.journal.turns().at(-1)?.plan, 'delta');
    assert.deepEqual(short(kept), [...expected, 'message']);
    assert.deepEqual(session.unheard(), []);
  });

  for (const [why, setting] of [
    ['the model cannot be steered', { model: 'gpt-5.4' }],
    ['the turn goes by SSE', { transport: 'sse' }],
  ] as const) {
    test(`where ${why}, input is added to the history before the next turn`, async (t) => {
      const script = { turns: [{ reasoning: 'Long long thoughts.', calls: [{ name: 'look' }] }, { text: 'Seen.' }] };
      const { emulator, session, kept } = await start(t, script, setting);
      const { events, heard } = await interrupted(session, 'Shorter!');
      assert.equal(heard, 'queued');
      const expected = ['go', 'reasoning', 'function_call', 'function_call_output', 'Shorter!'];
      assert.deepEqual(told(emulator), expected);
      assert.deepEqual(short(kept), [...expected, 'message']);
      assert.deepEqual(
        events.filter(({ type }) => type === 'user_message'),
        [
          { type: 'user_message', message: 'go' },
          { type: 'user_message', message: 'Shorter!', queued: true },
        ],
      );
    });
  }

  test('input that is still queued when a run ends is handed back, for the next run', async (t) => {
    const script = { turns: [{ reasoning: 'Long long thoughts.', text: 'Done.' }] };
    const { session } = await start(t, script, { model: 'gpt-5.4' });
    await interrupted(session, 'And now?');
    assert.deepEqual(short(session.history), ['go', 'reasoning', 'message']);
    assert.deepEqual(session.unheard(), ['And now?']);
    assert.deepEqual(session.unheard(), []);
  });

  test('input that a turn had taken before it was aborted is handed back', async (t) => {
    const script = { turns: [{ reasoning: 'Long long thoughts, without an end in sight.', text: 'Done.' }] };
    const { session } = await start(t, script);
    const stop = new AbortController();
    await assert.rejects(async () => {
      for await (const event of session.run('go', { signal: stop.signal })) {
        if (event.type !== 'agent_choice_reasoning' || stop.signal.aborted) continue;
        assert.equal(await session.say('Shorter!'), 'steered');
        stop.abort(new Error('enough'));
      }
    });
    assert.deepEqual(session.unheard(), ['Shorter!']);
    assert.deepEqual(short(session.history), ['go']);
  });

  test('another model can be chosen from the next turn on', async (t) => {
    const { emulator, session } = await start(t, { turns: [{ text: 'One.' }, { text: 'Two.' }] });
    await session.run('go').result();
    session.useModel({ ...session.agent.model, name: 'other', model: 'other' });
    const { seen } = await collect(session);
    assert.deepEqual(seen, { model: 'other' });
    const sent = emulator.journal.turns().at(-1)?.request as { model: string } | undefined;
    assert.equal(sent?.model, 'other');
  });
});

async function collect(session: Session) {
  let seen = {};
  for await (const event of session.run('again')) if (event.type === 'stream_started') seen = { model: event.model };
  return { seen };
}
