import { endOf, isJson, isTerminal, part } from '../../probe/turn.js';
import { succeeded } from '../probe.js';
import { expect, NotApplicable } from '../deviation.js';
import { expectErrorFrame } from '../expectations/error-frame.js';
import type { Turn } from '../../probe/turn.js';
import type { PlainTurn, Probe } from '../probe.js';
import type { Rule } from '../rule.js';

export const transports: readonly Rule[] = [
  {
    id: 'transports/websocket-answers',
    title: 'answers a create on a WebSocket by events that end in response.completed or incomplete',
    certainty: 'documented',
    protocol: ['P34', 'P57'],
    plain: ['websocket'],
    run: async (probe) => {
      const { turn } = await probe.tryPlain('WebSocket');
      expect(turn.broken === undefined, turn.broken ?? '');
      expect(succeeded(turn), `the turn ended with ${JSON.stringify(turn.events.at(-1)?.body ?? null).slice(0, 200)}`);
    },
  },
  {
    id: 'transports/frames',
    title: 'sends text frames of one JSON object with a type each, and no [DONE]',
    certainty: 'documented',
    protocol: ['P22', 'P23'],
    turns: 1,
    run: async (probe) => {
      const socket = await probe.connect();
      socket.send({ type: 'response.create', ...probe.create() });
      for (let terminal = false; !terminal;) {
        const incoming = await socket.next();
        if (incoming.kind !== 'frame')
          throw new NotApplicable('there is no answer to look at: see transports/websocket-answers');
        const { json, binary } = incoming;
        expect(!binary, 'a frame is binary');
        expect(isJson(json), `a frame is no JSON object: ${incoming.text.slice(0, 100)}`);
        expect(typeof json['type'] === 'string', `a frame has no type: ${incoming.text.slice(0, 100)}`);
        terminal = isTerminal({ type: json['type'] });
        if (terminal) probe.bill(part(json, 'response'));
      }
      await socket.ping(2000);
      const behind = await socket.next(1);
      expect(behind.kind !== 'frame' || isJson(behind.json), 'a frame behind the terminal event is no JSON object');
    },
  },
  {
    id: 'transports/several-turns',
    title: 'keeps a WebSocket open after a turn, and answers the next one on it',
    certainty: 'documented',
    protocol: ['P57'],
    turns: 2,
    run: async (probe) => {
      const socket = await probe.connect();
      const first = await probe.success(socket, probe.create());
      const second = await probe.success(socket, probe.create());
      expect(first['id'] !== second['id'], `both turns are the response ${String(first['id'])}`);
    },
  },
  {
    id: 'transports/same-events',
    title: 'sends the same events over a WebSocket and over SSE, with the same fields',
    certainty: 'documented',
    protocol: ['P22'],
    plain: ['sse', 'websocket'],
    run: async (probe) => {
      const [sse, socket] = await both(probe);
      const typesOf = ({ turn }: PlainTurn): string => [...shapesOf(turn).keys()].sort().join(', ');
      const shared = messageEvents(sse.turn);
      const other = messageEvents(socket.turn);
      expect(
        shared === other,
        `over SSE a message comes as ${shared}; over a WebSocket as ${other}; events ${typesOf(socket)}`,
      );
      const shapes = shapesOf(sse.turn);
      for (const [type, fields] of shapesOf(socket.turn)) {
        const over = shapes.get(type);
        expect(
          over === undefined || over === fields,
          `${type} has ${fields} over a WebSocket, and ${over ?? ''} over SSE`,
        );
      }
    },
  },
  {
    id: 'transports/same-response',
    title: 'has the same fields in the terminal response over both transports',
    certainty: 'documented',
    protocol: ['P22'],
    plain: ['sse', 'websocket'],
    run: async (probe) => {
      const [sse, socket] = await both(probe);
      const fieldsOf = ({ turn }: PlainTurn): string => Object.keys(endOf(turn)).sort().join(', ');
      expect(fieldsOf(sse) === fieldsOf(socket), `over SSE: ${fieldsOf(sse)}; over a WebSocket: ${fieldsOf(socket)}`);
    },
  },
  {
    id: 'transports/same-refusal',
    title: 'refuses the same request with the same code and status over both transports',
    certainty: 'documented',
    protocol: ['P61', 'P62'],
    run: async (probe) => {
      const wrong = { ...probe.create(), input: 7 };
      const socket = await probe.connect();
      const answer = await probe.post(wrong);
      const turn = await probe.turn(socket, wrong);
      if (answer.status < 400 || succeeded(turn)) throw new NotApplicable('the server takes an input that is a number');
      const { error, status } = expectErrorFrame(turn);
      const told = part(answer.json, 'error');
      // OpenResponses requires a code in every error of a WebSocket, and some errors have none: the type stands in its place.
      const same = error['code'] === told['code'] || (told['code'] === null && error['code'] === error['type']);
      expect(same, `the code is ${String(told['code'])} over HTTP, and ${String(error['code'])} on a WebSocket`);
      expect(
        status === undefined || status === answer.status,
        `the status is ${answer.status} over HTTP, and ${String(status)} on a WebSocket`,
      );
    },
  },
];

async function both(probe: Probe): Promise<readonly [PlainTurn, PlainTurn]> {
  return [await probe.plain('SSE'), await probe.plain('WebSocket')];
}

/** The event types of the first message, with any number of deltas counted as one. */
function messageEvents({ events }: Turn): string {
  const message = events.find(
    ({ type, body }) => type === 'response.output_item.added' && part(body, 'item')['type'] === 'message',
  );
  const index = message?.body['output_index'];
  const types = events.filter(({ body }) => body['output_index'] === index).map(({ type }) => type);
  return types.filter((type, at) => type !== types[at - 1]).join(' ');
}

/** The fields of each event type, without `obfuscation`, which is random and may be missing. */
function shapesOf({ events }: Turn): ReadonlyMap<string, string> {
  return new Map(
    events.map(({ type, body }) => [
      type,
      Object.keys(body)
        .filter((field) => field !== 'obfuscation')
        .sort()
        .join(', '),
    ]),
  );
}
