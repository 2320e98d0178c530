import { eventOf, isTerminal, part, readTurn } from '../../probe/turn.js';
import { responseOf } from '../probe.js';
import { expect, NotApplicable } from '../deviation.js';
import { longTask } from '../../probe/long-task.js';
import type { ProbeSocket } from '../../probe/socket.js';
import type { WireEvent } from '../../probe/turn.js';
import type { Probe } from '../probe.js';
import type { Rule } from '../rule.js';

export const turns: readonly Rule[] = [
  {
    id: 'turns/warm-up',
    title: 'answers generate: false by a completed response without output',
    certainty: 'documented',
    protocol: ['P38'],
    except: { openresponses: 'it does not specify a warm-up' },
    turns: 1,
    run: async (probe) => {
      const socket = await probe.connect();
      const turn = await probe.turn(socket, probe.create({ generate: false }));
      const { status, output } = responseOf(turn);
      expect(status === 'completed', `it is ${String(status)}`);
      const item = turn.events.find(({ type }) => /^response\.(?:output|content|reasoning|function)/.test(type));
      expect(item === undefined, `a warm-up has no output, and ${item?.type ?? ''} came`);
      expect(
        output === undefined || (Array.isArray(output) && output.length === 0),
        'the output of a warm-up is not empty',
      );
    },
  },
  {
    id: 'turns/warm-up-continues',
    title: 'continues a warm-up by its id',
    certainty: 'documented',
    protocol: ['P38', 'P76'],
    except: { openresponses: 'it does not specify a warm-up' },
    turns: 2,
    run: async (probe) => {
      const socket = await probe.connect();
      const store = !probe.profile.continuesUnstored;
      const { id } = await probe.success(socket, probe.create({ store, generate: false }));
      const second = await probe.success(
        socket,
        probe.create({ store, previous_response_id: id, input: 'Say the word go, and nothing else.' }),
      );
      expect(
        second['previous_response_id'] === id,
        `previous_response_id is ${JSON.stringify(second['previous_response_id'])}`,
      );
    },
  },
  {
    id: 'turns/steer-unknown',
    title: 'answers a steer of an unknown response by response.steer.failed, with its input',
    certainty: 'documented',
    protocol: ['P47', 'P51'],
    only: ['openai'],
    run: async (probe) => {
      const socket = await probe.connect();
      socket.send({ type: 'response.steer', previous_response_id: 'resp_of_nobody', input: 'Shorter, please.' });
      const incoming = await socket.next();
      const event = incoming.kind === 'frame' ? eventOf(incoming.json, incoming.at) : undefined;
      expect(event?.type === 'response.steer.failed', `the answer is ${event?.type ?? `none (${incoming.kind})`}`);
      const { code } = part(event.body, 'error');
      expect(typeof code === 'string', 'the error of response.steer.failed has no code');
      const { input } = part(event.body, 'steer');
      expect(input !== undefined, 'response.steer.failed does not give the input back');
    },
  },
  {
    id: 'turns/steer',
    title: 'takes input for a running response, and begins its successor without a create',
    certainty: 'documented',
    protocol: ['P48', 'P52'],
    only: ['openai'],
    turns: 2,
    run: async (probe) => {
      const { socket, id } = await running(probe);
      socket.send({ type: 'response.steer', previous_response_id: id, input: 'Say the word stop instead.' });
      const answer = await until(socket, ({ type }) => type.startsWith('response.steer.') || type === 'error');
      if (answer.type !== 'response.steer.accepted') {
        const { code } = part(answer.body, 'error');
        throw new NotApplicable(`the response could not be steered: ${typeof code === 'string' ? code : answer.type}`);
      }
      const end = await until(socket, isTerminal);
      probe.bill(part(end.body, 'response'));
      const successor = await until(socket, ({ type }) => type === 'response.created');
      const { previous_response_id: parent } = part(successor.body, 'response');
      expect(parent === id, `the successor continues ${JSON.stringify(parent)}, ${id} was steered`);
      responseOf({ ...(await readTurn(socket)), sentAt: 0 });
    },
  },
  {
    id: 'turns/interrupt',
    title: 'ends a running response at response.interrupt, as incomplete with the reason interrupted',
    certainty: 'observed',
    protocol: ['P127'],
    only: ['openai'],
    turns: 1,
    run: async (probe) => {
      const { socket, id } = await running(probe);
      socket.send({ type: 'response.interrupt', response_id: id, mode: 'discard_partial_items' });
      const end = await until(socket, isTerminal);
      probe.bill(part(end.body, 'response'));
      if (end.type === 'response.completed')
        throw new NotApplicable('the response completed: it had ended by then, or interrupts are passed over');
      const { reason } = part(part(end.body, 'response'), 'incomplete_details');
      expect(reason === 'interrupted', `the response ended with ${end.type}, reason ${JSON.stringify(reason)}`);
    },
  },
  {
    id: 'turns/abort-http',
    title: 'answers the next POST after a client has left in the middle of a stream',
    certainty: 'observed',
    protocol: ['P32'],
    turns: 2,
    run: async (probe) => {
      await probe.request({
        method: 'POST',
        path: 'responses',
        body: JSON.stringify({ ...probe.create({ input: longTask }), stream: true }),
        leaveWhen: (body) => body.includes('response.created'),
      });
      responseOf((await probe.stream(probe.create())).turn);
    },
  },
  {
    id: 'turns/abort-websocket',
    title: 'answers on a new WebSocket after a client has left in the middle of a response',
    certainty: 'observed',
    protocol: ['P32'],
    turns: 2,
    run: async (probe) => {
      const { socket } = await running(probe);
      socket.leave();
      responseOf(await probe.turn(await probe.connect(), probe.create()));
    },
  },
  {
    id: 'turns/compaction',
    title: 'answers an input that ends with compaction_trigger by exactly one compaction item',
    certainty: 'SDK types',
    protocol: ['P126'],
    only: ['openai', 'chatgpt'],
    turns: 1,
    run: async (probe) => {
      const input = [
        { type: 'message', role: 'user', content: 'Remember the word ready.' },
        { type: 'compaction_trigger' },
      ];
      const { turn } = await probe.stream(probe.create({ input }));
      responseOf(turn);
      const kinds = turn.events
        .filter(({ type }) => type === 'response.output_item.done')
        .map(({ body }) => String(part(body, 'item')['type']));
      expect(kinds.join() === 'compaction', `the output items are ${kinds.join(', ') || 'none'}`);
    },
  },
];

/** Begins a long turn, and resolves once its response has begun. */
async function running(probe: Probe): Promise<{ socket: ProbeSocket; id: string }> {
  const socket = await probe.connect();
  socket.send({ type: 'response.create', ...probe.create({ input: longTask }) });
  const created = await until(socket, ({ type }) => type === 'response.created' || type === 'error');
  const { id } = part(created.body, 'response');
  expect(typeof id === 'string', `a create was answered by ${created.type}`);
  return { socket, id };
}

/** The next event that `wanted` accepts. @throws Deviation where none comes */
async function until(socket: ProbeSocket, wanted: (event: WireEvent) => boolean): Promise<WireEvent> {
  for (;;) {
    const incoming = await socket.next();
    expect(incoming.kind === 'frame', `the answer did not come: ${incoming.kind}`);
    const event = eventOf(incoming.json, incoming.at);
    if (event !== undefined && wanted(event)) return event;
  }
}
