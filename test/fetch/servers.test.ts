// Q1–Q5, Q8, Q16, Q17 through a fetch: what servers in the field do, and what an SDK is given of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFetch } from '@turnwire/client/fetch';
import { completed, created, delta, message, reply, response } from '../faults/server/events.js';
import { FaultServer } from '../faults/server/server.js';
import { frame } from '../faults/server/frame.js';
import { eventsOf } from './setup.js';
import type { FetchOptions } from '@turnwire/client/fetch';
import type { TestContext } from 'node:test';
import type { Json } from '../faults/server/events.js';
import type { Peer, Script } from '../faults/server/peer.js';

const both = ['websocket', 'sse'] as const;

type Ask = (body?: Json) => Promise<Response>;

async function setUp(
  t: TestContext,
  script: Script,
  options: FetchOptions,
): Promise<{ server: FaultServer; ask: Ask; warnings: string[] }> {
  const server = await FaultServer.start(script);
  const warnings: string[] = [];
  const fetch = createFetch({ onWarning: (warning) => warnings.push(warning), ...options });
  t.after(async () => {
    fetch.destroy();
    await server.close();
  });
  const ask: Ask = (body = {}) =>
    fetch(`${server.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-of-a-test' },
      body: JSON.stringify({ model: 'test', input: 'hi', stream: true, ...body }),
    });
  return { server, ask, warnings };
}

const answering = (...events: Json[]): Script => ({
  create: (peer) => peer.events(...events),
  post: (peer) => {
    peer.stream();
    peer.sse(...events);
    peer.endStream();
  },
});

async function failureOf(answer: Response): Promise<string> {
  const error: unknown = await answer.text().then(
    () => assert.fail('the body ended'),
    (thrown: unknown) => thrown,
  );
  return (error as { cause: { code: string } }).cause.code;
}

const item = (name: string): string => `msg_0a63f40a2632b743_${name}`;

describe('createFetch at servers that deviate', () => {
  test('Q1: a stream without its last empty line is one whole body', async (t) => {
    const body = reply('resp_1', 'fine').map((event) => `data: ${JSON.stringify(event)}\n\n`);
    const { ask } = await setUp(
      t,
      {
        post: (peer) => {
          peer.stream();
          peer.chunk(body.join('').slice(0, -2));
          peer.endStream();
        },
      },
      { transport: 'sse' },
    );
    assert.deepEqual(eventsOf(await (await ask()).text()).at(-1), reply('resp_1', 'fine').at(-1));
  });

  for (const transport of both) {
    test(`Q2: empty heartbeats are not handed over, over ${transport}`, async (t) => {
      const events = reply('resp_1', 'fine');
      const { ask } = await setUp(
        t,
        {
          create: (peer) =>
            peer.raw(Buffer.concat(events.flatMap((event) => [frame('{}'), peer.encode(event), frame('')]))),
          post: (peer) => {
            peer.stream();
            for (const event of events) peer.chunk(`data: {}\n\ndata: ${JSON.stringify(event)}\n\ndata:\n\n`);
            peer.endStream();
          },
        },
        { transport },
      );
      assert.deepEqual(eventsOf(await (await ask()).text()), events);
    });

    test(`Q3: ids that change from event to event pass, over ${transport}`, async (t) => {
      const events = [
        created('resp_a'),
        { ...delta('fine'), item_id: item('x') },
        completed('resp_b', [message('fine', item('y'))]),
      ];
      const { ask } = await setUp(t, answering(...events), { transport });
      for (const _ of [1, 2]) assert.deepEqual(eventsOf(await (await ask()).text()), events);
    });

    test(`Q4: the JSON answer has the text that only the deltas had, over ${transport}`, async (t) => {
      const { ask } = await setUp(
        t,
        answering(
          created('resp_1'),
          delta('The answer '),
          delta('is 42.'),
          {
            type: 'response.function_call_arguments.done',
            item_id: 'fc_1',
            output_index: 1,
            name: 'look',
            arguments: '{}',
          },
          completed('resp_1'),
        ),
        { transport },
      );
      const { output } = (await (await ask({ stream: false })).json()) as { output: Json[] };
      assert.deepEqual(
        output.map(({ type, content, arguments: given }) => [type, content ?? given]),
        [
          ['message', [{ type: 'output_text', text: 'The answer is 42.', annotations: [] }]],
          ['function_call', '{}'],
        ],
      );
    });

    test(`Q8: a last event without a response fails the body, over ${transport}`, async (t) => {
      const { ask } = await setUp(t, answering(created('resp_1'), delta('Hi'), { type: 'response.completed' }), {
        transport,
      });
      assert.equal(await failureOf(await ask()), 'protocol_error');
    });

    test(`Q17: response.completed with a failure inside is handed over unchanged, over ${transport}`, async (t) => {
      const last = {
        type: 'response.completed',
        response: response('resp_1', 'failed', { error: { code: 'server_error' } }),
      };
      const given = answering(created('resp_1'), last);
      const streamed = await (await setUp(t, given, { transport })).ask();
      assert.deepEqual(eventsOf(await streamed.text()).at(-1), last);
      const whole = await (await setUp(t, given, { transport })).ask({ stream: false });
      assert.equal(((await whole.json()) as Json)['status'], 'failed');
    });

    test(`Q5: an id that the caller named and the server ignored is a 400 that no SDK repeats, over ${transport}`, async (t) => {
      const { ask, server } = await setUp(
        t,
        answering(created('resp_2', { previous_response_id: null }), delta('Who?'), completed('resp_2')),
        { transport },
      );
      for (const stream of [true, false]) {
        const answer = await ask({ stream, previous_response_id: 'resp_1' });
        assert.equal(answer.status, 400);
        assert.equal(((await answer.json()) as { error: Json }).error['code'], 'chain_ignored');
      }
      assert.equal(server.creates + server.posts, 2);
    });
  }

  test('Q5: a turn whose delta was ignored is sent again in full, and so are later turns, with one warning', async (t) => {
    const { ask, server, warnings } = await setUp(
      t,
      {
        create: (peer: Peer, create, count) => {
          const { input, previous_response_id: id } = create;
          const saw = `saw ${Array.isArray(input) ? input.length : 1} items`;
          const names = id === undefined ? {} : { previous_response_id: null };
          peer.events(...reply(`resp_${peer.number}_${count}`, saw, names));
        },
      },
      { transport: 'websocket' },
    );
    const input: Json[] = [];
    const seen: unknown[] = [];
    for (const question of ['one', 'two', 'three']) {
      input.push({ role: 'user', content: question });
      const answer = await ask({ input, store: false });
      const last = eventsOf(await answer.text()).at(-1) as { response: { output: Json[] } };
      const [said] = last.response.output as [{ content: [{ text: string }] }];
      seen.push([said.content[0].text, answer.headers.get('x-turnwire-plan-reason')]);
      input.push(...last.response.output);
    }
    assert.deepEqual(seen, [
      ['saw 1 items', 'first_turn'],
      ['saw 3 items', 'id_ignored'],
      ['saw 5 items', 'id_ignored'],
    ]);
    assert.equal(server.creates, 4);
    assert.deepEqual(
      warnings.map((warning) => warning.includes('ignores it')),
      [true],
    );
  });

  test('Q16: a piece of an earlier item fails the body, although bodies are not parsed', async (t) => {
    const { ask } = await setUp(
      t,
      {
        create: (peer, _create, count) => {
          const name = String(count);
          peer.events(
            created(`resp_${name}`),
            { ...delta(`answer ${name}`), item_id: item(name) },
            ...(count === 3 ? [{ ...delta('answer 1'), item_id: item('1') }] : []),
            completed(`resp_${name}`, [message(`answer ${name}`, item(name))]),
          );
        },
      },
      { transport: 'websocket' },
    );
    for (const count of [1, 2]) assert.match(await (await ask()).text(), new RegExp(`answer ${count}`));
    assert.equal(await failureOf(await ask()), 'protocol_error');
  });
});
