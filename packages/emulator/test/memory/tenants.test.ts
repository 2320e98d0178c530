import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { startEmulator, type EmulatorOptions } from '../../dist/index.js';
import { json, RawSocket, terminal, type Json } from '../wire.js';

async function start(t: TestContext, options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  const as =
    (headers: Record<string, string>) =>
    async (method: string, path: string, body?: object): Promise<Json> => {
      const response = await fetch(`${emulator.url}/${path}`, {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { ...json(await response.text()), httpStatus: response.status };
    };
  return { emulator, as, mine: as({ authorization: 'Bearer mine' }), other: as({ authorization: 'Bearer other' }) };
}

describe('N16: responses and conversations belong to the credential that made them', () => {
  test('another credential cannot read, list, cancel or delete a response', async (t) => {
    const { mine, other } = await start(t);
    const { id } = await mine('POST', 'responses', { model: 'm', input: 'secret' });
    const background = await mine('POST', 'responses', { model: 'm', input: 'secret', background: true });
    for (const [method, path] of [
      ['GET', `responses/${id}`],
      ['GET', `responses/${id}/input_items`],
      ['GET', `responses/${background.id}`],
      ['POST', `responses/${background.id}/cancel`],
      ['DELETE', `responses/${id}`],
      ['DELETE', `responses/${background.id}`],
    ] as const) {
      assert.equal((await other(method, path)).error?.message, `Response with id '${path.split('/')[1]}' not found.`);
    }
    assert.equal((await mine('GET', `responses/${id}/input_items`)).data.length, 1);
  });

  test('a credential is the same with its scheme in lower case (RFC 9110 §11.1), and no other spelling is', async (t) => {
    const { mine, as } = await start(t);
    const { id } = await mine('POST', 'responses', { model: 'm', input: 'x' });
    for (const [authorization, status] of [
      ['bearer mine', 200],
      ['BEARER  mine', 200],
      ['Bearer Mine', 404],
      ['Basic mine', 404],
    ] as const)
      assert.equal((await as({ authorization })('GET', `responses/${id}`)).httpStatus, status, authorization);
  });

  test('cached tokens of one credential do not tell what another has sent', async (t) => {
    const { mine, other } = await start(t);
    const create = { model: 'm', instructions: 'x'.repeat(4000), input: 'secret' };
    const cached = async (as: typeof mine) =>
      (await as('POST', 'responses', create)).usage.input_tokens_details.cached_tokens;
    assert.equal(await cached(mine), 0);
    assert.equal(await cached(other), 0);
    assert.ok((await cached(mine)) > 1000);
    assert.ok((await cached(other)) > 1000);
  });

  test('with shared credentials the cached tokens are shared, too', async (t) => {
    const { mine, other } = await start(t, { credentials: 'shared' });
    const create = { model: 'm', instructions: 'x'.repeat(4000), input: 'x' };
    await mine('POST', 'responses', create);
    assert.ok((await other('POST', 'responses', create)).usage.input_tokens_details.cached_tokens > 1000);
  });

  for (const field of ['previous_response_id', 'item_reference', 'conversation', 'compact', 'input_tokens'] as const) {
    test(`another credential cannot use a response or a conversation in ${field}`, async (t) => {
      const { mine, other } = await start(t);
      const made = await mine('POST', 'responses', { model: 'm', input: 'secret' });
      const conversation = await mine('POST', 'conversations', { items: [{ role: 'user', content: 'secret' }] });
      const by = { previous_response_id: made.id };
      const asked = {
        previous_response_id: ['responses', { model: 'm', input: 'x', ...by }],
        item_reference: ['responses', { model: 'm', input: [{ type: 'item_reference', id: made.output[0].id }] }],
        conversation: ['responses', { model: 'm', input: 'x', conversation: conversation.id }],
        compact: ['responses/compact', { model: 'm', ...by }],
        input_tokens: ['responses/input_tokens', { model: 'm', input: 'x', ...by }],
      } as const;
      const [path, body] = asked[field];
      assert.match((await other('POST', path, body)).error?.message, /not found/);
      assert.equal((await mine('POST', path, body)).httpStatus, 200);
    });
  }

  test('another credential cannot read or change a conversation', async (t) => {
    const { mine, other } = await start(t);
    const { id } = await mine('POST', 'conversations', { items: [{ role: 'user', content: 'secret' }] });
    for (const method of ['GET', 'DELETE']) assert.equal((await other(method, `conversations/${id}`)).httpStatus, 404);
    assert.equal((await other('GET', `conversations/${id}/items`)).httpStatus, 404);
    assert.equal((await mine('GET', `conversations/${id}/items`)).data.length, 1);
  });

  test('a socket belongs to the credential of its upgrade', async (t) => {
    const { emulator, mine } = await start(t);
    const made = await mine('POST', 'responses', { model: 'm', input: 'secret' });
    const continued = { model: 'm', input: 'x', previous_response_id: made.id };
    const other = await RawSocket.open(emulator.url, { authorization: 'Bearer other' });
    assert.equal(terminal(await other.ask(continued)).error.code, 'previous_response_not_found');
    const own = await RawSocket.open(emulator.url, { authorization: 'Bearer mine' });
    assert.equal(terminal(await own.ask(continued)).type, 'response.completed');
  });

  test('api-key is a credential too, and requests without a credential are a tenant of their own', async (t) => {
    const { as, mine } = await start(t);
    const azure = as({ 'api-key': 'mine' });
    const nobody = as({});
    const { id } = await azure('POST', 'responses', { model: 'm', input: 'x' });
    const seen = await Promise.all([azure, nobody, mine].map((ask) => ask('GET', `responses/${id}`)));
    assert.deepEqual(
      seen.map(({ error }) => error === null),
      [true, false, false],
    );
  });

  test('credentials: shared lets every credential find all responses and conversations', async (t) => {
    const { mine, other } = await start(t, { credentials: 'shared' });
    const { id } = await mine('POST', 'responses', { model: 'm', input: 'x' });
    assert.equal((await other('GET', `responses/${id}`)).id, id);
  });
});

describe('ids', () => {
  const idFrom = async (t: TestContext, options: EmulatorOptions) => {
    const { mine } = await start(t, options);
    return (await mine('POST', 'responses', { model: 'm', input: 'x' })).id;
  };

  test('two emulators without a seed make different ids; with the same seed they make the same ids', async (t) => {
    assert.notEqual(await idFrom(t, {}), await idFrom(t, {}));
    assert.equal(await idFrom(t, { seed: 's' }), await idFrom(t, { seed: 's' }));
  });
});
