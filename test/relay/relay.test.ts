import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ContextDigests, createRelay } from '@turnwire/client/relay';
import { startEmulator } from 'turnwire/emulator';
import type { Json, RelayEvent, RelayOptions, RelayTurn } from '@turnwire/client/relay';
import type { EmulatorOptions } from 'turnwire/emulator';
import type { TestContext } from 'node:test';

async function setUp(t: TestContext, emulated: EmulatorOptions = {}, options: Partial<RelayOptions> = {}) {
  const emulator = await startEmulator(emulated);
  const relay = createRelay({ baseUrl: emulator.url, apiKey: 'sk-test', onWarning: false, ...options });
  t.after(async () => {
    relay.destroy();
    await emulator.close();
  });
  return { emulator, relay };
}

async function eventsOf(turn: RelayTurn): Promise<RelayEvent[]> {
  const opening = await turn.opening();
  assert.equal(opening.name, 'begun');
  const events = [...(opening.name === 'begun' ? opening.events : [])];
  for (let event = await turn.next(); event !== undefined; event = await turn.next()) events.push(event);
  return events;
}

const message = (text: string) => ({ type: 'message', role: 'user', content: text });

describe('relay', () => {
  test('hands over events without the name of the lane that the engine gave the turn', async (t) => {
    const { relay, emulator } = await setUp(t, {}, { pool: { lanes: true } });
    const events = await eventsOf(relay.turn({ model: 'any', input: 'Hello.' }));
    assert.equal(events.at(-1)?.type, 'response.completed');
    for (const { text } of events) assert(!text.includes('stream_id'), text);
    assert.equal(emulator.journal.turns().length, 1);
  });

  test('gives the context at the end of a response, and the response that a full history continued', async (t) => {
    const { relay } = await setUp(t);
    const first = relay.turn({ model: 'any', store: false, input: [message('One.')] });
    await eventsOf(first);
    const context = first.context ?? [];
    assert.equal(context.length, 2);
    const id = first.responseId ?? '';
    assert.equal(relay.holds(id), true);
    assert.equal(first.stored, false);
    const second = relay.turn({ model: 'any', store: false, input: [...context, message('Two.')] });
    await eventsOf(second);
    assert.equal(second.report.plan, 'delta');
    assert.deepEqual(
      { responseId: second.continued?.responseId, from: second.continued?.from },
      { responseId: id, from: 2 },
    );
  });

  test('continues a stored response of another relay, and is sent in full where the server does not know it', async (t) => {
    const { relay, emulator } = await setUp(t);
    const input = [message('One.')];
    const first = relay.turn({ model: 'any', input });
    await eventsOf(first);
    const digests = new ContextDigests();
    const { held, context = [] } = first;
    assert(held !== undefined);
    const other = createRelay({ baseUrl: emulator.url, apiKey: 'sk-test', onWarning: false });
    t.after(() => other.destroy());
    const params = { model: 'any', input: [...context, message('Two.')] as Json[] };
    assert.equal(relay.plan(params)?.name, 'delta');
    assert.deepEqual(other.plan(params), { name: 'full', reason: 'history_unknown' });
    const [end] = new ContextDigests().ends(params);
    assert.deepEqual(digests.of(held), [end?.digest]);
    const second = other.turn(params, { continues: { responseId: held.responseId, from: end?.from ?? 0 } });
    await eventsOf(second);
    assert.equal(second.report.plan, 'delta');
    assert.equal(emulator.journal.turns().at(-1)?.parent?.id, held.responseId);
    const third = { ...params, input: [...(second.context ?? []), message('Three.')] as Json[] };
    assert.equal(other.plan(third)?.name, 'delta');
    const lost = other.turn({ ...third, instructions: 'Other.' }, { continues: { responseId: 'resp_gone', from: 4 } });
    await eventsOf(lost);
    assert.deepEqual(
      lost.report.attempts.map(({ plan, recovery }) => [plan, recovery]),
      [
        ['delta', 'resend_in_full'],
        ['full', undefined],
      ],
    );
  });

  test('reports a refusal with the status, the code and the headers of the server', async (t) => {
    const { relay } = await setUp(
      t,
      { faults: [{ do: 'error status=429 code=rate_limit_exceeded headers={"retry-after":"7"}' }] },
      { recovery: { refusals: 'surface' } },
    );
    const opening = await relay.turn({ model: 'any', input: 'Hello.' }).opening();
    assert.equal(opening.name, 'refused');
    if (opening.name !== 'refused') return;
    assert.equal(opening.status, 429);
    assert.equal(opening.headers['retry-after'], '7');
    assert.equal((JSON.parse(opening.body) as { error: { code: string } }).error.code, 'rate_limit_exceeded');
  });

  test('reports not_sent where the server cannot be reached', async () => {
    const relay = createRelay({ baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'sk-test', onWarning: false });
    const opening = await relay.turn({ model: 'any', input: 'Hello.' }).opening();
    assert.equal(opening.name, 'not_sent');
    await relay.close();
  });

  test('answers a call without a stream by one text', async (t) => {
    const { relay } = await setUp(t);
    const params = { model: 'any', input: 'Hello.' };
    const answer = await relay.turn(params, { plain: JSON.stringify(params) }).answer();
    assert.equal(answer.name, 'answered');
    if (answer.name === 'answered') assert.equal((JSON.parse(answer.body) as { status: string }).status, 'completed');
  });
});
