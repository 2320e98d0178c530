// C1, C5, A2, W5 for event streams: bodies that are cut, are none, or say no.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { answer, completed, created, delta, message, reply } from '../server/events.js';
import { read, scenario } from '../scenario.js';
import type { TurnwireError } from '@turnwire/client';
import type { Moment } from '../server/events.js';
import type { Peer } from '../server/peer.js';

const moments: readonly { moment: Moment; phase: string }[] = [
  { moment: 'nothing', phase: 'sent' },
  { moment: 'created', phase: 'created' },
  { moment: 'in progress', phase: 'created' },
  { moment: 'a delta', phase: 'visible' },
  { moment: 'a function call', phase: 'tool' },
  { moment: 'all output', phase: 'tool' },
];
const endings: Record<string, (peer: Peer) => void> = {
  'the end of the body': (peer) => peer.endStream(),
  'FIN in the middle of the body': (peer) => peer.fin(),
  'FIN in the middle of an event': (peer) => {
    peer.chunk('data: {"type":"response.output_text.del');
    peer.fin();
  },
  // RST overtakes what the client has not read yet.
  RST: (peer) => void setTimeout(() => peer.rst(), 30),
  '[DONE]': (peer) => {
    peer.chunk('data: [DONE]\n\n');
    peer.endStream();
  },
};
/** The connection breaks. A body that ends in good order is the server's word, and it is not asked again. */
const breaks = new Set(['FIN in the middle of the body', 'FIN in the middle of an event', 'RST']);

describe('an event stream', () => {
  for (const { moment, phase } of moments) {
    for (const [name, end] of Object.entries(endings)) {
      // Sent and not answered, it is sent once more, over a connection of its own; after an event it is not (C2, C4).
      const posts = moment === 'nothing' && breaks.has(name) ? 2 : 1;
      scenario(
        `sse, ${name} after ${moment}${posts === 2 ? ', each time: redialled once, then' : ':'} lost`,
        {
          post: (peer) => {
            const { events, upTo } = answer('resp_1');
            peer.stream();
            if (upTo[moment] > 0) peer.sse(...events.slice(0, upTo[moment]));
            end(peer);
          },
        },
        { transport: 'sse' },
        async ({ client, server }) => {
          const turn = client.turn({ model: 'test', input: 'hi' });
          const { events, thrown, error } = await read(turn);
          assert.equal(events.length, answer('x').upTo[moment]);
          assert.equal(thrown, error);
          assert.equal(error?.code, 'connection_lost');
          assert.equal(error.phase, phase);
          assert.equal(error.retryable, false);
          assert.equal(error.responseId, moment === 'nothing' ? undefined : 'resp_1');
          assert.equal(turn.report.outcome, 'lost');
          assert.deepEqual([server.posts, server.peers.length, server.upgrades], [posts, posts, 0]);
        },
      );
    }
  }

  scenario(
    'sse, a connection that breaks before any event is redialled, and answered',
    {
      post: (peer) => {
        if (peer.number === 1) return peer.rst();
        peer.stream();
        peer.sse(...reply('resp_1', 'fine'));
        peer.endStream();
      },
    },
    { transport: 'sse' },
    async ({ client, server }) => {
      const turn = client.turn({ model: 'test', input: 'hi' });
      assert.equal((await read(turn)).text, 'fine');
      assert.deepEqual(
        turn.report.attempts.map(({ error, recovery }) => [error, recovery]),
        [
          ['connection_lost', 'redial'],
          [undefined, undefined],
        ],
      );
      assert.equal(server.posts, 2);
    },
  );

  for (const [name, recovery, more] of [
    ['recovery.replay is unsent', { replay: 'unsent' }, {}],
    ['recovery.replay is never', { replay: 'never' }, {}],
    ['the turn has effects', {}, { tools: [{ type: 'mcp' }] }],
  ] as const) {
    scenario(
      `sse, a turn that may have run is not sent again where ${name}`,
      { post: (peer) => peer.rst() },
      { transport: 'sse', recovery },
      async ({ client, server }) => {
        const { error } = await read(client.turn({ model: 'test', input: 'hi', ...more }));
        assert.equal(error?.code, 'connection_lost');
        assert.equal(error.phase, 'sent');
        assert.equal(server.posts, 1);
      },
    );
  }

  const refusals: readonly [string, string, string][] = [
    ['JSON', 'application/json', '{"error":{"message":"no","code":"nope","type":"t","param":"p"}}'],
    ['marked JSON', 'application/json', '\ufeff{"error":{"message":"no","code":"nope","type":"t","param":"p"}}'],
    ['HTML', 'text/html', '<h1>Bad</h1>'],
    ['no body', 'text/plain', ''],
    ['2 MB', 'text/html', 'x'.repeat(2_000_000)],
  ];
  for (const status of [400, 401, 403, 404, 409, 413, 429, 500, 503]) {
    for (const [kind, type, body] of refusals) {
      scenario(
        `sse, ${status} with ${kind}: refused, typed`,
        { post: (peer) => peer.http(status, body, { 'content-type': type, 'retry-after': '2', 'set-cookie': 'a=b' }) },
        { transport: 'sse', recovery: { refusals: 'surface' } },
        async ({ client, server }) => {
          const turn = client.turn({ model: 'test', input: 'hi' });
          const { events, error } = await read(turn);
          assert.deepEqual(events, []);
          assert.equal(error?.code, 'request_refused');
          assert.equal(error.status, status);
          // A 403 without the API's JSON is an edge network's, which throttles dials so (A4).
          const isThrottle = status === 403 && !kind.endsWith('JSON');
          assert.equal(error.retryable, status === 409 || status === 429 || status === 503 || isThrottle);
          assert.equal(error.server?.headers['retry-after'], '2');
          assert.equal(error.server.headers['set-cookie'], undefined);
          assert.ok(error.message.length < 200, error.message);
          assert.doesNotMatch(error.message, /<h1>|xxx/);
          if (kind.endsWith('JSON')) {
            const { code, message: said, type: kindOf, param } = error.server;
            assert.deepEqual({ code, said, kindOf, param }, { code: 'nope', said: 'no', kindOf: 't', param: 'p' });
          }
          assert.equal(turn.report.outcome, undefined);
          assert.equal(server.posts, 1);
        },
      );
    }
  }

  for (const status of [301, 302, 303, 307, 308]) {
    scenario(
      `sse, ${status} is not followed`,
      { post: (peer) => peer.http(status, '', { location: 'http://127.0.0.1:9/elsewhere' }) },
      { transport: 'sse' },
      async ({ client, server }) => {
        const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
        assert.equal(error?.code, 'request_refused');
        assert.equal(error.status, status);
        assert.equal(server.peers.length, 1);
      },
    );
  }

  for (const status of [201, 202, 203, 206]) {
    scenario(
      `sse, a stream with status ${status} is read like any other`,
      {
        post: (peer) =>
          peer.http(
            status,
            reply('resp_1', 'fine')
              .map((event) => `data: ${JSON.stringify(event)}\n\n`)
              .join(''),
            {
              'content-type': 'text/event-stream',
            },
          ),
      },
      { transport: 'sse' },
      async ({ client }) => {
        assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).text, 'fine');
      },
      { handwritten: true },
    );
  }

  scenario(
    'sse, events that are named in the event field alone: events get their types, and the turn ends',
    {
      post: (peer) => {
        peer.stream();
        for (const { type, ...rest } of reply('resp_1', 'fine'))
          peer.chunk(`event: ${String(type)}\ndata: ${JSON.stringify(rest)}\n\n`);
        peer.endStream();
      },
    },
    { transport: 'sse' },
    async ({ client }) => {
      const turn = client.turn({ model: 'test', input: 'hi' });
      const { text, events } = await read(turn);
      assert.equal(text, 'fine');
      assert.deepEqual(
        events.map(({ type }) => type),
        reply('resp_1', 'fine').map(({ type }) => type),
      );
    },
    { handwritten: true },
  );

  const namedErrors: readonly [data: string, message: string, code?: string][] = [
    ['{"message":"Too much.","code":"rate_limit_exceeded"}', 'Too much.', 'rate_limit_exceeded'],
    ['{"error":{"message":"Too much.","code":"slow_down"}}', 'Too much.', 'slow_down'],
    ['{"error":"Too much."}', 'Too much.'],
    ['{"detail":"Too much."}', 'Too much.'],
    ['"Too much."', 'Too much.'],
    ['Too much.', 'Too much.'],
  ];
  for (const [data, message, code] of namedErrors) {
    for (const when of ['before', 'after'] as const) {
      scenario(
        `sse, an event named error with the data ${data}, ${when} the beginning of the response`,
        {
          post: (peer) => {
            peer.stream();
            if (when === 'after') peer.chunk(`data: ${JSON.stringify(created('resp_1'))}\n\n`);
            peer.chunk(`event: error\ndata: ${data}\n\n`);
            peer.endStream();
          },
        },
        { transport: 'sse', recovery: { refusals: 'surface' } },
        async ({ client }) => {
          const turn = client.turn({ model: 'test', input: 'hi' });
          const { events } = await read(turn);
          const error = await turn.response().then(
            () => undefined,
            (reason: TurnwireError) => reason,
          );
          assert.equal(error?.code, when === 'before' ? 'request_refused' : 'response_failed');
          assert.deepEqual([error.server?.message, error.server?.code], [message, code]);
          assert.deepEqual(
            events.map(({ type }) => type),
            when === 'before' ? [] : ['response.created', 'error'],
          );
        },
        { handwritten: true },
      );
    }
  }

  const noStreams: Record<string, (peer: Peer) => void> = {
    'JSON instead of a stream': (peer) =>
      peer.http(200, JSON.stringify(completed('resp_1')), { 'content-type': 'application/json' }),
    'HTML instead of a stream': (peer) => peer.http(200, '<h1>Hi</h1>', { 'content-type': 'text/html' }),
    'no content type, and a text': (peer) => peer.http(200, 'Hi'),
    'another content type, and nothing': (peer) => peer.http(200, '', { 'content-type': 'text/plain' }),
    'a stream in a coding that nobody here knows': (peer) =>
      peer.http(200, '\u001f\u009d data: {"type":"x"}\n\n', {
        'content-type': 'text/event-stream',
        'content-encoding': 'compress',
      }),
    'a stream in three codings': (peer) =>
      peer.http(200, '', { 'content-type': 'text/event-stream', 'content-encoding': 'gzip, gzip, gzip' }),
    'a stream that is not in the coding that it names': (peer) =>
      peer.http(200, 'data: {"type":"x"}\n\n', { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }),
    'data that is no JSON': (peer) => {
      peer.stream();
      peer.chunk('data: oops\n\n');
    },
    'data that is an array': (peer) => {
      peer.stream();
      peer.chunk('data: [0]\n\n');
    },
  };
  for (const [name, post] of Object.entries(noStreams)) {
    scenario(`sse, ${name}: a protocol error`, { post }, { transport: 'sse' }, async ({ client }) => {
      const { error, events } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.deepEqual(events, []);
      assert.equal(error?.code, 'protocol_error');
      assert.doesNotMatch(error.message, /oops|<h1>/);
    });
  }

  scenario(
    'sse, a refusal whose body never ends still counts as a refusal',
    { post: (peer) => peer.raw('HTTP/1.1 500 Oops\r\ncontent-length: 500\r\n\r\n{"error"') },
    { transport: 'sse', recovery: { refusals: 'surface' } },
    async ({ client }) => {
      const begun = performance.now();
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.status, 500);
      assert.ok(performance.now() - begun < 1500, 'the body was waited for');
    },
    { quick: true },
  );

  scenario(
    'sse, silence after the head: the turn ends at the limit of the first event',
    { post: (peer) => peer.stream() },
    { transport: 'sse', timeouts: { firstEventMs: 100 } },
    async ({ client, server }) => {
      assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).error?.code, 'first_event_timeout');
      await server.peer(1).ended;
    },
  );

  scenario(
    'sse, silence in the middle: the turn ends at the idle limit, after the events before it',
    {
      post: (peer) => {
        peer.stream();
        peer.sse(created('resp_1'), delta('half'));
      },
    },
    { transport: 'sse', timeouts: { idleMs: 100 } },
    async ({ client, server }) => {
      const { events, error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(events.length, 2);
      assert.equal(error?.code, 'idle_timeout');
      assert.equal(error.phase, 'visible');
      await server.peer(1).ended;
    },
  );

  scenario(
    'sse, connections are kept for the next turn, also behind [DONE]; a dead one is redialled once',
    {
      post: (peer, body) => {
        if (body['input'] === 'die') return peer.rst();
        peer.stream();
        peer.sse(...reply(`resp_${peer.number}`, `by ${peer.number}`));
        peer.chunk('data: [DONE]\n\n');
        peer.endStream();
      },
    },
    { transport: 'sse' },
    async ({ client, server }) => {
      const one = await read(client.turn({ model: 'test', input: 'one' }));
      // The connection is back with its agent once the end of the body was read.
      const rested = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 50));
      await rested();
      const two = await read(client.turn({ model: 'test', input: 'two' }));
      assert.deepEqual([one.text, two.text, server.peers.length], ['by 1', 'by 1', 1]);
      await rested();
      const turn = client.turn({ model: 'test', input: 'die' });
      const { error } = await read(turn);
      assert.equal(error?.code, 'connection_lost');
      assert.deepEqual(
        turn.report.attempts.map(({ reused }) => reused),
        [true, false],
      );
      assert.equal(server.posts, 4);
    },
  );

  scenario(
    'sse, a server that does not end its body after the answer does not block the next turn',
    {
      post: (peer) => {
        peer.stream();
        peer.sse(...reply('resp_1', 'done'));
      },
    },
    { transport: 'sse' },
    async ({ client, server }) => {
      assert.equal((await read(client.turn({ model: 'test', input: 'hi' }))).text, 'done');
      await server.peer(1).ended;
    },
    { quick: true },
  );

  scenario(
    'sse, an answer with unusual line ends and in small pieces is read unchanged',
    {
      post: (peer) => {
        peer.stream();
        const text = `\ufeff: hello\r\nevent: x\r\ndata: ${JSON.stringify(created('resp_1'))}\r\n\r\nid: 7\rdata: ${JSON.stringify(delta('zwölf €'))}\r\rdata: {"type":"response.completed",\ndata: "response":${JSON.stringify(completed('resp_1', [message('zwölf €')])['response'])}}\n\n`;
        for (const byte of Buffer.from(text)) peer.chunk(Buffer.from([byte]));
        peer.endStream();
      },
    },
    { transport: 'sse' },
    async ({ client }) => {
      const { events, text } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.deepEqual(events, [created('resp_1'), delta('zwölf €'), completed('resp_1', [message('zwölf €')])]);
      assert.equal(text, 'zwölf €');
    },
    { handwritten: true },
  );

  scenario(
    'sse, a POST that is answered by 101 is a protocol error, at once',
    {
      post: (peer) =>
        peer.raw(Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')),
    },
    { transport: 'sse' },
    async ({ client, server }) => {
      const { error } = await read(client.turn({ model: 'test', input: 'hi' }));
      assert.equal(error?.code, 'protocol_error');
      assert.equal(error.status, 101);
      assert.equal(server.posts, 1);
    },
  );
});
