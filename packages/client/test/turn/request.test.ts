import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TurnRequest } from '../../dist/turn/request.js';
import type { TurnParams } from '../../dist/protocol/request.js';

/** Every field that belongs to one transport (P30), beside some that belong to both. */
const all = {
  model: 'm',
  input: [{ role: 'user', content: 'zwölf €' }],
  type: 'smuggled',
  stream: false,
  stream_id: 'lane',
  stream_options: { include_obfuscation: false },
  background: false,
  generate: true,
  previous_response_id: 'resp_1',
  unknown_field: { a: [1, null] },
} satisfies TurnParams;

const common =
  '"model":"m","input":[{"role":"user","content":"zwölf €"}],"previous_response_id":"resp_1","unknown_field":{"a":[1,null]}';

describe('turn request', () => {
  test('the WebSocket frame and the body of the POST have the fields of the request in its order', () => {
    const request = new TurnRequest(all);
    assert.equal(request.frame(), `{"type":"response.create","generate":true,${common}}`);
    assert.equal(
      request.body(),
      `{"stream":true,"stream_options":{"include_obfuscation":false},"background":false,${common}}`,
    );
  });

  test('the frame of a long history has the fields in their order too, in pieces', () => {
    const input = Array.from({ length: 40 }, (_, index) => ({ role: 'user' as const, content: `${index} €` }));
    const around = { model: 'm', generate: true, temperature: 1 };
    for (const params of [
      { input },
      { input, ...around },
      { ...around, input },
      { model: 'm', input, temperature: 1, unknown_field: [{ input: [1] }] },
    ]) {
      const frame = new TurnRequest(params).frame();
      assert(Array.isArray(frame));
      const { generate, ...common } = params as { generate?: boolean };
      const sent = { type: 'response.create', ...(generate === true && { generate }), ...common };
      assert.equal(frame.join(''), JSON.stringify(sent));
    }
  });

  test('a request without fields is sent as a frame and as a body', () => {
    assert.equal(new TurnRequest({}).frame(), '{"type":"response.create"}');
    assert.equal(new TurnRequest({}).body(), '{"stream":true}');
  });

  test('a delta has every field, the id, and only the new items of the input', () => {
    const { previous_response_id: _, ...params } = all;
    const request = new TurnRequest({ ...params, input: ['a', 'b', 'c'] as never });
    assert.equal(
      request.frame({ responseId: 'resp_2', from: 1 }),
      '{"type":"response.create","generate":true,"model":"m","unknown_field":{"a":[1,null]},"previous_response_id":"resp_2","input":["b","c"]}',
    );
  });

  test('a request does not follow what its caller changes later', () => {
    const params = { input: [{ role: 'user' as const, content: 'before' }] };
    const request = new TurnRequest(params);
    params.input.push({ role: 'user', content: 'after' });
    assert.doesNotMatch(request.frame() + request.body(), /after/);
  });

  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const nonsense: readonly [unknown, RegExp][] = [
    [null, /not null$/],
    [[], /not an array$/],
    ['text', /not a string$/],
    [undefined, /not undefined$/],
    [{ input: 1n }, /no integers of this size/],
    [
      {
        get model() {
          throw new Error('theirs');
        },
      },
      /theirs/,
    ],
    [{ input: circular }, /contains itself/],
    [{ previous_response_id: 5 }, /previous_response_id must be/],
    [{ previous_response_id: {} }, /previous_response_id must be/],
    [
      {
        input: {
          toJSON: () => {
            throw new Error('mine');
          },
        },
      },
      /mine/,
    ],
  ];
  for (const [params, message] of nonsense) {
    test(`${message}: one sentence`, () => {
      assert.throws(
        () => new TurnRequest(params),
        (error: Error & { code?: string }) =>
          error.code === 'invalid_request' && message.test(error.message) && !error.message.includes('\n'),
      );
    });
  }

  test('a request may run twice if it names no conversation and no tool that acts at the server', () => {
    const repeatable = (params: TurnParams): boolean => new TurnRequest(params).repeatable;
    for (const params of [
      {},
      { tools: null },
      { tools: [] },
      { tools: [{ type: 'function' }, { type: 'custom' }, { type: 'web_search' }, { type: 'file_search' }] },
      { conversation: null },
      { store: true },
    ] as TurnParams[])
      assert.equal(repeatable(params), true, JSON.stringify(params));
    for (const params of [
      { conversation: 'conv_1' },
      { conversation: { id: 'conv_1' } },
      { tools: [{ type: 'mcp' }] },
      { tools: [{ type: 'function' }, { type: 'code_interpreter' }] },
      { tools: [{ type: 'shell' }] },
      { tools: [{ type: 'not known yet' }] },
      { tools: [null] },
      { tools: 'x' },
    ] as unknown as TurnParams[])
      assert.equal(repeatable(params), false, JSON.stringify(params));
  });

  test('a request of generate: false goes by WebSocket only, one of background: true by SSE only', () => {
    assert.equal(new TurnRequest({ generate: false }).webSocketOnly, true);
    assert.equal(new TurnRequest({ generate: true }).webSocketOnly, false);
    assert.equal(new TurnRequest({ background: true }).sseOnly, true);
    assert.equal(new TurnRequest({ background: false }).sseOnly, false);
  });
});
