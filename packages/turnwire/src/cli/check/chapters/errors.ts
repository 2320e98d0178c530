import { eventOf } from '../../probe/turn.js';
import { responseOf } from '../probe.js';
import { expect } from '../deviation.js';
import { expectRefusal } from '../expectations/error-envelope.js';
import { expectErrorFrame } from '../expectations/error-frame.js';
import type { Rule } from '../rule.js';

/** A create that every server refuses: it has neither a model nor an input. */
const empty = { type: 'response.create' };

export const errors: readonly Rule[] = [
  {
    id: 'errors/http-envelope',
    title: 'refuses a bad POST with 4xx and {"error": {message, type, code, param}} in JSON',
    certainty: 'documented',
    protocol: ['P27'],
    run: async (probe) => {
      expectRefusal(await probe.post('{}'));
    },
  },
  {
    id: 'errors/http-stream-envelope',
    title: 'refuses a bad POST with stream: true in the same way, and by no event stream',
    certainty: 'documented',
    protocol: ['P27', 'P62'],
    run: async (probe) => {
      expectRefusal(await probe.post({ stream: true }));
    },
  },
  {
    id: 'errors/http-invalid-json',
    title: 'refuses a body that is no JSON with 4xx and the same envelope',
    certainty: 'documented',
    protocol: ['P27'],
    run: async (probe) => {
      expectRefusal(await probe.post('{"model": '));
    },
  },
  {
    id: 'errors/exclusive-fields',
    title: 'refuses conversation beside previous_response_id',
    certainty: 'documented',
    protocol: ['P39'],
    only: ['openai', 'azure'],
    run: async (probe) => {
      const both = { conversation: 'conv_of_nobody', previous_response_id: 'resp_of_nobody' };
      expectRefusal(await probe.post(probe.create(both)));
    },
  },
  {
    id: 'errors/websocket-envelope',
    title: 'refuses a bad create by {"type": "error", "error": {message, type, code}}',
    certainty: 'documented',
    protocol: ['P61'],
    except: { xai: 'its errors have no type' },
    run: async (probe) => {
      const socket = await probe.connect();
      const { frame, error } = expectErrorFrame(await probe.turn(socket, empty));
      expect(frame['type'] === 'error', `the type is ${JSON.stringify(frame['type'])}`);
      expect('error' in frame, 'the error stands flat in its frame, which is the shape of an error in mid-stream');
      for (const field of ['message', 'type', 'code'])
        expect(typeof error[field] === 'string' && error[field] !== '', `error.${field} is missing or no text`);
    },
  },
  {
    id: 'errors/websocket-status',
    title: 'puts the status into error frames, from which clients tell what to repeat',
    certainty: 'specified',
    protocol: ['P61'],
    except: { xai: 'its errors have no status' },
    run: async (probe) => {
      const socket = await probe.connect();
      const { status } = expectErrorFrame(await probe.turn(socket, empty));
      expect(typeof status === 'number' && status >= 400 && status < 500, `the status is ${JSON.stringify(status)}`);
    },
  },
  {
    id: 'errors/websocket-goes-on',
    title: 'answers the next create after it has refused one on the same WebSocket',
    certainty: 'documented',
    protocol: ['P57'],
    except: { vercel: 'a close follows each error' },
    turns: 1,
    run: async (probe) => {
      const socket = await probe.connect();
      expectErrorFrame(await probe.turn(socket, empty));
      responseOf(await probe.turn(socket, probe.create()));
    },
  },
  {
    id: 'errors/websocket-invalid-json',
    title: 'answers a frame that is no JSON by an error or a close, not by silence',
    certainty: 'documented',
    protocol: ['P61'],
    run: async (probe) => {
      const socket = await probe.connect();
      socket.send('{"type": ');
      await expectRefusalOrClose(socket);
    },
  },
  {
    id: 'errors/websocket-nested-body',
    title: 'refuses a create whose fields are nested below response',
    certainty: 'documented',
    protocol: ['P34'],
    run: async (probe) => {
      const socket = await probe.connect();
      socket.send({ type: 'response.create', response: {} });
      await expectRefusalOrClose(socket);
    },
  },
];

type Socket = Awaited<ReturnType<Parameters<Rule['run']>[0]['connect']>>;

/** @throws Deviation */
async function expectRefusalOrClose(socket: Socket): Promise<void> {
  const incoming = await socket.next();
  expect(incoming.kind !== 'timeout', 'nothing came');
  if (incoming.kind === 'close') return;
  const event = eventOf(incoming.json, incoming.at);
  expect(event?.type === 'error', `the answer is ${event?.type ?? incoming.text.slice(0, 100)}`);
}
