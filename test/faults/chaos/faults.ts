import { notFound, refusal } from '../model/service.js';
import { frame, opcodes } from '../server/frame.js';
import type { Asked, Course } from '../model/serve.js';
import type { Peer } from '../server/peer.js';
import type { Random } from './random.js';

export interface Fault {
  course: (random: Random, asked: Asked) => Course;
  /** The turn may fail by it, as far as its caller can tell. Otherwise nobody may notice it. @default true */
  hurts?: false;
  /** It only makes sense on one of them. @default both */
  via?: Asked['via'];
}

const soon = (run: (peer: Peer) => void) => (peer: Peer) => void setTimeout(() => run(peer), 2);
/** Short waits, so that what is tried again does not slow the tests down. */
const wait = { 'retry-after-ms': '20' };
const busy = (status: number, code: string) => {
  const frame = refusal(status, code, 'not now');
  return { ...frame, headers: wait, error: { ...(frame['error'] as object), headers: wait } };
};
const ends: readonly ((peer: Peer) => void)[] = [
  (peer) => peer.rst(),
  (peer) => peer.fin(),
  (peer) => peer.close(1000),
  (peer) => peer.close(1001),
  (peer) => peer.close(1011, 'keepalive ping timeout'),
  (peer) => peer.close(1012),
];
/** A code of its own may be meant for the request, and is not a reason to ask again (P94). */
const allEnds = [...ends, (peer: Peer) => peer.close(4000, 'why not')];

/** The faults that may happen to a request, by name. */
export const faults: Readonly<Record<string, Fault>> = {
  'ended before the answer': { course: (random) => ({ upTo: 0, after: random.of(allEnds) }) },
  'ended after response.created': { course: (random) => ({ upTo: 1, after: soon(random.of(allEnds)) }) },
  'ended in the text': { course: (random) => ({ upTo: 3 + random.below(3), after: soon(random.of(ends)) }) },
  'ended before the terminal event': { course: (random) => ({ dropTerminal: true, after: soon(random.of(ends)) }) },
  'ended after the terminal event': { hurts: false, course: (random) => ({ after: soon(random.of(ends)) }) },
  'half a frame': {
    via: 'websocket',
    course: () => ({
      upTo: 2,
      after: (peer) => {
        peer.halfFrame({ type: 'response.output_text.delta', delta: 'x'.repeat(200) }, 100);
        peer.fin();
      },
    }),
  },
  'broken JSON': { via: 'websocket', course: () => ({ upTo: 2, after: (peer) => peer.rawFrame('{"type":') }) },
  'a refusal by 500': { course: () => ({ error: busy(500, 'server_error') }) },
  'a refusal by 429': { course: () => ({ error: busy(429, 'rate_limit_exceeded') }) },
  'a refusal by 400': { course: () => ({ error: refusal(400, 'invalid_prompt', 'no') }) },
  'the chain is forgotten': {
    via: 'websocket',
    course: (_random, { request }) => {
      const previous = request['previous_response_id'];
      return typeof previous === 'string' ? { error: notFound(previous) } : {};
    },
  },
  'the age limit': {
    via: 'websocket',
    course: () => ({
      error: refusal(400, 'websocket_connection_limit_reached', '60 minutes'),
      after: soon((peer) => peer.close(1000)),
    }),
  },
  // On a connection on which a response has begun: before that nobody can tell, and a stream may be sparse (P56).
  'events of another response before it': {
    via: 'websocket',
    course: (_random, { peer }) =>
      peer.exchanges.all.every(({ responses }) => responses.length === 0)
        ? {}
        : {
            before: [
              {
                type: 'response.output_text.delta',
                item_id: 'msg_x',
                output_index: 0,
                content_index: 0,
                delta: 'ALIEN',
              },
            ],
          },
  },
  'the terminal event twice': { hurts: false, course: () => ({ dupTerminal: true }) },
  'an empty output': { hurts: false, course: () => ({ emptyOutput: true }) },
  fragments: { hurts: false, via: 'websocket', course: (random) => ({ fragments: 1 + random.below(40) }) },
  'slow events': { hurts: false, course: (random) => ({ everyMs: 1 + random.below(4) }) },
  'pings, and events that nobody knows': {
    hurts: false,
    via: 'websocket',
    course: (_random, { peer }) => {
      for (let count = 0; count < 20; count += 1) {
        peer.socket.write(frame('alive?', { opcode: opcodes.ping }));
      }
      return { before: [{ type: 'keepalive', sequence_number: 0 }], pieces: 8 };
    },
  },
  silence: { course: (random) => ({ upTo: random.below(5), after: () => {} }) },
};
