// What goes wrong between a gateway and its upstream, row by row. The oracle watches both sides: the client's turns, and what the upstream was asked.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createClient } from '@turnwire/client';
import { Service, digest, notFound, refusal } from '../model/service.js';
import { serve } from '../model/serve.js';
import { violations } from '../oracle/oracle.js';
import { Witness } from '../oracle/witness.js';
import { eventually } from '../scenario.js';
import { FaultServer } from '../server/server.js';
import { frame, opcodes } from '../server/frame.js';
import { Front } from './front.js';
import type { FrontConfig } from './front.js';
import type { TransportChoice, TurnwireError } from '@turnwire/client';
import type { Asked, Course } from '../model/serve.js';
import type { Json } from '../server/events.js';
import type { Peer, Script } from '../server/peer.js';

/** What a client is told. */
type Told = keyof typeof inWords;

const inWords = {
  answer: 'the client is given the answer',
  refusal: 'the client is told what the upstream has refused',
  unknown: 'the client is told that the turn may have run',
  break: 'the answer breaks off for the client',
};

interface Row {
  fault: string;
  /** Of the second of three turns. */
  course?: (asked: Asked) => Course;
  upgrade?: Script['upgrade'];
  config?: FrontConfig['upstream'];
  told: Told;
  /** What the client is told of the first turn and of the third. @default the answer */
  otherwise?: Told;
  /** How often the upstream was asked for that turn. */
  asked: number;
}

const ends: Readonly<Record<string, (peer: Peer) => void>> = {
  'a reset': (peer) => peer.rst(),
  'an end without a close frame': (peer) => peer.fin(),
  'a close with 1000': (peer) => peer.close(1000),
  'a close with 1001': (peer) => peer.close(1001),
  'a close with 1011': (peer) => peer.close(1011, 'keepalive ping timeout'),
  'a close with 1012': (peer) => peer.close(1012),
};

/** Places in an answer at which its connection may end. Once anything was handed over, a turn is not asked for again (D11, F1). */
const places: Readonly<Record<string, { course: Course; told: Told; asked: number }>> = {
  'before the answer': { course: { upTo: 0 }, told: 'answer', asked: 2 },
  'after response.created': { course: { upTo: 1 }, told: 'break', asked: 1 },
  'in the text': { course: { upTo: 5 }, told: 'break', asked: 1 },
  'before the terminal event': { course: { dropTerminal: true }, told: 'break', asked: 1 },
  'after the terminal event': { course: {}, told: 'answer', asked: 1 },
};

function endings(named: readonly string[]): Row[] {
  return named.flatMap((name) =>
    Object.entries(places).map(([place, { course, told, asked }]) => ({
      fault: `${name} ${place}`,
      // What was written is on its way before the end.
      course: () => ({ ...course, after: (peer: Peer) => void setImmediate(() => ends[name]?.(peer)) }),
      told,
      asked,
    })),
  );
}

const foreignEvent = {
  type: 'response.output_text.delta',
  item_id: 'msg_x',
  output_index: 0,
  content_index: 0,
  delta: 'ALIEN',
};

/** The same over both. */
const common: readonly Row[] = [
  ...[400, 401, 403, 404, 429, 500, 502, 503, 529].map((status): Row => ({
    fault: `a refusal by ${status}`,
    course: () => ({ error: refusal(status, 'a_code', 'no') }),
    told: 'refusal',
    asked: 1,
  })),
  { fault: 'an empty output', course: () => ({ emptyOutput: true }), told: 'answer', asked: 1 },
  { fault: 'the terminal event twice', course: () => ({ dupTerminal: true }), told: 'answer', asked: 1 },
  { fault: 'an event at a time', course: () => ({ everyMs: 1 }), told: 'answer', asked: 1 },
];

const overWebSocket: readonly Row[] = [
  ...endings(Object.keys(ends)),
  ...common,
  {
    fault: 'a close with a code of its own before the answer',
    // Such a code may be meant for the request (P94).
    course: () => ({ upTo: 0, after: (peer) => peer.close(4000, 'why not') }),
    told: 'unknown',
    asked: 1,
  },
  { fault: 'fragments of a byte', course: () => ({ fragments: 1 }), told: 'answer', asked: 1 },
  {
    fault: 'half a frame',
    course: () => ({
      upTo: 2,
      after: (peer) => {
        peer.halfFrame({ type: 'response.output_text.delta', delta: 'x'.repeat(200) }, 100);
        peer.fin();
      },
    }),
    told: 'break',
    asked: 1,
  },
  {
    fault: 'broken JSON',
    course: () => ({ upTo: 2, after: (peer) => peer.rawFrame('{"type":') }),
    told: 'break',
    asked: 1,
  },
  {
    fault: 'events of another response before the answer',
    course: () => ({ before: [foreignEvent] }),
    told: 'unknown',
    asked: 1,
  },
  {
    fault: 'a chain that the upstream has forgotten',
    course: ({ request }) => {
      const previous = request['previous_response_id'];
      return typeof previous === 'string' ? { error: notFound(previous) } : {};
    },
    told: 'answer',
    asked: 2,
  },
  {
    fault: 'the age limit',
    course: ({ peer }) =>
      peer.number > 1
        ? {}
        : {
            error: refusal(400, 'websocket_connection_limit_reached', '60 minutes'),
            after: () => void setImmediate(() => peer.close(1000)),
          },
    told: 'answer',
    asked: 2,
  },
  {
    fault: 'pings, and an event that nobody knows',
    course: ({ peer }) => {
      for (let count = 0; count < 20; count += 1) peer.socket.write(frame('alive?', { opcode: opcodes.ping }));
      return { before: [{ type: 'keepalive', sequence_number: 0 }], pieces: 8 };
    },
    told: 'answer',
    asked: 1,
  },
  {
    fault: 'silence in the text',
    course: () => ({ upTo: 5, after: () => {} }),
    config: { idle_ms: 300 },
    told: 'break',
    asked: 1,
  },
];

const overSse: readonly Row[] = [...endings(['a reset', 'an end without a close frame']), ...common];

const refuseUpgrade = (status: number) => (peer: Peer) =>
  peer.http(status, '{"error":{"message":"no upgrade"}}', { 'retry-after-ms': '20' });

const upgrades: readonly Row[] = [
  ...[403, 404, 405, 426, 429, 500, 502, 503, 504].map((status): Row => ({
    fault: `an upgrade refused by ${status}`,
    upgrade: refuseUpgrade(status),
    told: 'answer',
    asked: 1,
  })),
  // The same credential would be refused over HTTP.
  {
    fault: 'an upgrade refused by 401',
    upgrade: refuseUpgrade(401),
    told: 'refusal',
    otherwise: 'refusal',
    asked: 0,
  },
];

const key = 'sk-test-sentinel';

/** Three turns of one conversation, of which the second is hit. */
async function converse(row: Row, upstream: 'websocket' | 'sse' | 'auto', downstream: TransportChoice): Promise<void> {
  const witness = new Witness({ budgetMs: 20_000, maxAttempts: 5, maxSockets: 32, secret: key });
  let asked = 0;
  const course = (given: Asked): Course | undefined => {
    if ((given.request['metadata'] as Json)['turn'] !== '2') return undefined;
    asked += 1;
    // A second request for the same turn is answered well: how often there is one is what the row says.
    return asked === 1 ? row.course?.(given) : undefined;
  };
  const server = await FaultServer.start(serve({ service: new Service(), course, upgrade: row.upgrade }));
  const front = await Front.start(server.url, { upstream: { transport: upstream, ...row.config } });
  // What the gateway does is to be seen, and not what a client makes of it.
  const client = createClient({
    apiKey: key,
    baseUrl: front.url,
    transport: downstream,
    recovery: { replay: 'never', refusals: 'surface' },
  });
  witness.watch(client);
  try {
    let history: Json[] = [];
    for (const turn of ['1', '2', '3']) {
      const input = [...history, { role: 'user', content: `question ${turn}` }];
      const running = client.turn({ model: 'test', metadata: { turn }, input: input as never });
      const { response, error } = await running.response().then(
        (settled) => ({ response: settled, error: undefined }),
        (thrown: unknown) => ({ response: undefined, error: thrown as TurnwireError }),
      );
      const wanted = turn === '2' ? row.told : (row.otherwise ?? 'answer');
      assert.equal(toldBy(error), wanted, `turn ${turn}: ${error?.code}: ${error?.message}`);
      if (response === undefined) continue;
      assert.ok((await running.text()).endsWith(` to ${digest(input)}`), 'the answer is one to another history');
      history = [...input, ...(response.output as unknown as Json[])];
    }
    assert.equal(asked, row.asked, 'so often the upstream was asked for the turn that was hit');
  } finally {
    witness.destroy();
    front.destroy();
    await server.close();
    await eventually('sockets and timers are gone', () => witness.handlesAreGone);
    const found = violations(witness.testify(server, front));
    assert.deepEqual(found, []);
  }
}

function toldBy(error: TurnwireError | undefined): Told {
  if (error === undefined) return 'answer';
  if (error.code !== 'request_refused') return 'break';
  return error.server?.code === 'turn_outcome_unknown' ? 'unknown' : 'refusal';
}

const sides: readonly ['websocket' | 'sse' | 'auto', readonly Row[]][] = [
  ['websocket', overWebSocket],
  ['sse', overSse],
  ['auto', upgrades],
];

for (const [upstream, rows] of sides)
  for (const downstream of ['sse', 'websocket'] as const)
    describe(`gateway between ${downstream} and ${upstream === 'auto' ? 'an upstream without WebSockets' : upstream}`, () => {
      for (const row of rows)
        test(`${row.fault}: ${inWords[row.told]}`, { timeout: 20_000 }, async () => {
          await converse(row, upstream, downstream);
        });
    });
