import { repeat } from '../emulator/load.js';
import { median } from '../report/statistics.js';
import { Conversation } from './load.js';
import { eventCount, pacedModel, pausingModel } from './protocol.js';
import type { MeasuredServer } from '../server/measured-server.js';
import type { Load } from './load.js';
import type { Kind, Usage } from './protocol.js';

export type Server = MeasuredServer<Usage>;

/** The goal of a server: a largest value, a multiple of another server's value, or a distance from it. */
export type Goal =
  | { readonly most: number }
  | { readonly most: number; readonly times: Kind }
  | { readonly most: number; readonly beyond: Kind };

export interface Workload {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly rows: readonly Kind[];
  readonly goals: Partial<Record<Kind, Goal>>;
  /** True: each server starts with new state in each round. */
  readonly fresh?: boolean;
  /** Before the first round: code is compiled, connections are open. A server runs for days, so that the code of its first thousand turns is not measured. */
  warmUp?(load: Load): Promise<void>;
  measure(load: Load, context: Context): Promise<number>;
}

export interface Context {
  readonly server: Server;
  readonly upstream: Server;
  /** Load that goes straight to the upstream. */
  readonly direct: Load;
  /** A number that differs in each measurement. */
  readonly number: number;
}

const small = Buffer.from('{"model":"any","stream":true,"input":"Hello"}');
const paced = Buffer.from(`{"model":"${pacedModel}","stream":true,"input":"Hello"}`);
const pausing = Buffer.from(`{"model":"${pausingModel}","stream":true,"input":"Hello"}`);
const historyBytes = 400_000;
const all: readonly Kind[] = ['pass-through', 'gateway', 'llms', 'opencodex'];

async function cpuUs(server: Server, run: () => Promise<void>): Promise<number> {
  const before = await server.usage();
  await run();
  return (await server.usage()).cpuUs - before.cpuUs;
}

export const workloads: readonly Workload[] = [
  {
    id: 'small',
    title: `CPU a response of ${eventCount} events, 8 at once`,
    unit: 'ms',
    rows: all,
    goals: { gateway: { most: 1.3, times: 'pass-through' } },
    warmUp: (load) => repeat(3000, 8, () => load.turn(small)),
    measure: async (load, { server }) =>
      (await cpuUs(server, () => repeat(600, 8, () => load.turn(small)))) / 600 / 1000,
  },
  {
    id: 'history',
    title: 'CPU a response, a history of 400 kB that continues',
    unit: 'ms',
    rows: all,
    goals: { gateway: { most: 1.5, times: 'pass-through' } },
    warmUp: async (load) => {
      await repeat(2000, 8, () => load.turn(small));
      for (let chats = 1; chats <= 8; chats += 1) await converse(load, -chats, 200);
    },
    measure: async (load, { server, number }) => {
      const chats = conversations(load, number);
      // The first turn of a chat is sent in full, so it is not measured: the row is about turns that continue.
      await Promise.all(chats.map((chat) => chat.turn(300)));
      const us = await cpuUs(server, () => repeat(chats.length, chats.length, (index) => turns(chats[index], 20)));
      return us / chats.length / 20 / 1000;
    },
  },
  {
    id: 'paced',
    title: '60 paced streams, CPU an event',
    unit: 'µs',
    // @musistudio/llms drops the name of the model, which tells the upstream to pace its events.
    rows: ['pass-through', 'gateway', 'opencodex'],
    goals: { gateway: { most: 1.1, times: 'pass-through' } },
    warmUp: async (load) => {
      await repeat(3000, 8, () => load.turn(small));
      await repeat(300, 60, () => load.turn(paced));
    },
    measure: async (load, { server }) =>
      (await cpuUs(server, () => repeat(120, 60, () => load.turn(paced)))) / 120 / eventCount,
  },
  {
    id: 'first-event',
    title: 'First event, added to a direct call, p50',
    unit: 'ms',
    rows: all,
    goals: { gateway: { most: 1.3, times: 'pass-through' } },
    warmUp: (load) => repeat(3000, 8, () => load.turn(small)),
    measure: async (load, { direct }) => {
      const added: number[] = [];
      // In pairs: what the machine does meanwhile is in both. The upstream rests behind its first event, as models do: with two cores the events that follow
      // would hold up whoever passes the first one on.
      for (let pair = 0; pair < 300; pair += 1) {
        const without = (await direct.turn(pausing)).firstMs;
        added.push((await load.turn(pausing)).firstMs - without);
      }
      return median(added);
    },
  },
  {
    id: 'bytes',
    title: 'Bytes upstream ÷ bytes of the client, 24 turns with whole histories, 20 kB more each',
    unit: '',
    rows: ['pass-through', 'gateway', 'opencodex'],
    goals: { gateway: { most: 0.11 } },
    measure: async (load, { upstream, number }) => {
      const before = (await upstream.usage()).receivedBytes;
      const chat = new Conversation(load, number, 0, 'any');
      for (let turn = 0; turn < 24; turn += 1) await chat.turn(20_000);
      return ((await upstream.usage()).receivedBytes - before) / chat.sentBytes;
    },
  },
  {
    id: 'memory',
    title: 'RSS after 1,000 chains of 400 kB',
    unit: 'MiB',
    rows: ['pass-through', 'gateway-restore-off', 'gateway', 'llms', 'opencodex'],
    goals: {
      'gateway-restore-off': { most: 2, times: 'pass-through' },
      gateway: { most: 40, beyond: 'gateway-restore-off' },
    },
    fresh: true,
    measure: async (load, { server }) => {
      await repeat(1000, 8, (index) => new Conversation(load, index, historyBytes, 'any').turn(300));
      return (await server.usage()).rssMb;
    },
  },
];

function conversations(load: Load, number: number): Conversation[] {
  return Array.from({ length: 4 }, (_, index) => new Conversation(load, number * 4 + index, historyBytes, 'any'));
}

async function converse(load: Load, number: number, count: number): Promise<void> {
  await Promise.all(conversations(load, number).map((chat) => turns(chat, count)));
}

async function turns(chat: Conversation | undefined, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await chat?.turn(300);
}
