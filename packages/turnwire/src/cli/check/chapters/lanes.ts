import { eventOf, isTerminal, part } from '../../probe/turn.js';
import { expect } from '../deviation.js';
import { expectCode } from '../expectations/error-frame.js';
import { longTask } from '../../probe/long-task.js';
import type { ProbeSocket } from '../../probe/socket.js';
import type { Json, WireEvent } from '../../probe/turn.js';
import type { Probe } from '../probe.js';
import type { Rule } from '../rule.js';

const only = ['openai'] as const;
const namesOfConnection = 32;

export const lanes: readonly Rule[] = [
  {
    id: 'lanes/queue',
    title: 'answers a second create on the default lane after the first one, without an overlap',
    certainty: 'documented',
    protocol: ['P43', 'P75'],
    turns: 2,
    run: async (probe) => {
      const socket = await probe.connect();
      // The first turn is long: a short one could end before a server that runs both at once has begun the second.
      for (const given of [{ input: longTask }, {}]) socket.send({ type: 'response.create', ...probe.create(given) });
      expectInOrder(await readTurns(probe, socket, 2));
    },
  },
  {
    id: 'lanes/names',
    title: 'puts the stream_id of a create into its events, and none into those of the default lane',
    certainty: 'documented',
    protocol: ['P42'],
    only,
    turns: 2,
    run: async (probe) => {
      const socket = await probe.connect();
      for (const lane of ['check.a-1', undefined]) {
        const { events } = await probe.turn(socket, probe.create(lane === undefined ? {} : { stream_id: lane }));
        const other = events.find(({ body }) => body['stream_id'] !== lane);
        expect(
          other === undefined,
          `${other?.type ?? ''} of ${lane ?? 'the default lane'} has the stream_id ${JSON.stringify(other?.body['stream_id'])}`,
        );
      }
    },
  },
  {
    id: 'lanes/concurrent',
    title: 'runs the turns of two lanes side by side',
    certainty: 'documented',
    protocol: ['P43'],
    only,
    turns: 2,
    run: async (probe) => {
      const socket = await probe.connect();
      for (const lane of ['a', 'b'])
        socket.send({ type: 'response.create', ...probe.create({ stream_id: lane, input: longTask }) });
      const events = await readTurns(probe, socket, 2);
      const end = events.findIndex(isTerminal);
      const begun = events.slice(0, end).filter(({ type }) => type === 'response.created');
      expect(begun.length === 2, 'the turn of the second lane began only when that of the first had ended');
    },
  },
  {
    id: 'lanes/fifo',
    title: 'runs the turns of one named lane one after another',
    certainty: 'documented',
    protocol: ['P43'],
    only,
    turns: 2,
    run: async (probe) => {
      const socket = await probe.connect();
      for (const given of [{ input: longTask }, {}])
        socket.send({ type: 'response.create', ...probe.create({ stream_id: 'a', ...given }) });
      expectInOrder(await readTurns(probe, socket, 2));
    },
  },
  {
    id: 'lanes/fork',
    title: 'continues a response of one lane on another',
    certainty: 'documented',
    protocol: ['P46'],
    only,
    turns: 2,
    run: async (probe) => {
      const socket = await probe.connect();
      const { id } = await probe.success(socket, probe.create({ stream_id: 'a' }));
      const forked = await probe.success(
        socket,
        probe.create({ stream_id: 'b', previous_response_id: id, input: 'Say it once more.' }),
      );
      expect(
        forked['previous_response_id'] === id,
        `previous_response_id is ${JSON.stringify(forked['previous_response_id'])}`,
      );
    },
  },
  {
    id: 'lanes/invalid-name',
    title: 'refuses other characters in a stream_id with invalid_stream_id, in a frame without one',
    certainty: 'documented',
    protocol: ['P42', 'P84'],
    only,
    turns: 1,
    run: async (probe) => {
      const socket = await probe.connect();
      const turn = await probe.turn(socket, probe.create({ stream_id: 'not a name' }));
      const { frame } = expectCode(turn, 'invalid_stream_id', 'stream_id');
      expect(!('stream_id' in frame), 'the error has a stream_id');
    },
  },
  {
    id: 'lanes/limit',
    title: 'refuses the 33rd name of a connection with websocket_stream_limit_reached, under that name',
    certainty: 'documented',
    protocol: ['P44', 'P83'],
    only,
    // Each create names a response that does not exist, so it is refused and spends nothing.
    run: async (probe) => {
      const socket = await probe.connect();
      const create = (lane: number): Json =>
        probe.create({ stream_id: `lane-${lane}`, previous_response_id: 'resp_of_nobody', max_output_tokens: 16 });
      for (let lane = 1; lane <= namesOfConnection; lane += 1)
        expectCode(await probe.turn(socket, create(lane)), 'previous_response_not_found');
      const { frame } = expectCode(
        await probe.turn(socket, create(namesOfConnection + 1)),
        'websocket_stream_limit_reached',
        'stream_id',
      );
      expect(frame['stream_id'] === `lane-${namesOfConnection + 1}`, 'the error lacks its stream_id');
    },
  },
];

/** Reads a socket until a number of turns have ended. @throws Deviation */
async function readTurns(probe: Probe, socket: ProbeSocket, turns: number): Promise<readonly WireEvent[]> {
  const events: WireEvent[] = [];
  while (events.filter(isTerminal).length < turns) {
    const incoming = await socket.next();
    expect(incoming.kind === 'frame', `of ${turns} creates ${events.filter(isTerminal).length} were answered`);
    const event = eventOf(incoming.json, incoming.at);
    if (event === undefined) continue;
    events.push(event);
    expect(event.type !== 'error', `a create was refused: ${JSON.stringify(event.body).slice(0, 200)}`);
    if (isTerminal(event)) probe.bill(part(event.body, 'response'));
  }
  return events;
}

/** Expects one response to end before the next one begins. @throws Deviation */
function expectInOrder(events: readonly WireEvent[]): void {
  let running = false;
  for (const event of events) {
    if (event.type === 'response.created') {
      expect(!running, 'the second response began before the first one had ended');
      running = true;
    }
    if (isTerminal(event)) running = false;
  }
  const created = events.filter(({ type }) => type === 'response.created').length;
  expect(created === 2, `two creates began ${created} responses`);
}
