import { Service } from '../model/service.js';
import { serve } from '../model/serve.js';
import { violations } from '../oracle/oracle.js';
import { Witness } from '../oracle/witness.js';
import { clientWith } from '../quick-client.js';
import { eventually } from '../scenario.js';
import { Front } from '../gateway/front.js';
import { FaultServer } from '../server/server.js';
import { Blame } from './blame.js';
import { converse } from './conversation.js';
import { faults } from './faults.js';
import { Random } from './random.js';
import { RunningTime } from './running-time.js';
import { Tally } from './tally.js';
import type { Asked, Course } from '../model/serve.js';
import type { Invariant } from '../oracle/oracle.js';
import type { Client } from '@turnwire/client';
import type { Peer } from '../server/peer.js';
import type { Fault } from './faults.js';

export interface ChaosOptions {
  seed: number;
  conversations: number;
  /** Questions of each conversation; what fails is asked again, and counts once more. */
  turns: number;
  /** How often something goes wrong with a request. @default 0.5 */
  rate?: number;
  /** The names of the `faults` that happen. @default all */
  only?: readonly string[];
  /** Clients of three tenants ask a gateway, which asks the server. @default false */
  gateway?: boolean;
  /** A fault that nobody is told of: what it loses is lost. For the proof that this is noticed. */
  secretly?: (request: Asked) => Course | undefined;
}

const secret = 'sk-chaos-sentinel';
const tenants = 3;

/** How a violated invariant is counted; the other ones as losses. */
const kinds: Partial<Record<Invariant, 'doubled' | 'mixedUp'>> = {
  'text is the response’s text, once, in order': 'doubled',
  'asked no more often than allowed, tools run once, usage as billed': 'doubled',
  'the transcript that the server used is the caller’s input': 'mixedUp',
};

/** The key of a conversation's tenant, by its name or by the mark of a turn. */
function keyFor(mark: string): string {
  return `${secret}-${Number(/^c(\d+)/.exec(mark)?.[1]) % tenants}`;
}

function keyOf(peer: Peer): string | undefined {
  return peer.heads.at(-1)?.headers['authorization'];
}

/** How quickly time passes for the client: its limits and waits are those of a real one, and take a twentieth of them. */
const pace = 20;

/**
 * Many conversations over one client, interleaved, while a server does what it wants. What happens to a request is decided by the seed,
 * its turn, and how often it was asked: a failing seed fails again. The oracle has the last word.
 */
export async function chaos(options: ChaosOptions): Promise<Tally> {
  const { seed, conversations, turns, rate = 0.5, only, gateway = false, secretly } = options;
  const tally = new Tally();
  const random = (...name: readonly (string | number)[]): Random => new Random(seed, ...name);
  const asked = new Map<string, number>();
  const blame = new Blame(gateway ? (mark, peer) => keyOf(peer) === `Bearer ${keyFor(mark)}` : undefined);
  const course = (request: Asked): Course | undefined => {
    const { mark } = request.request['metadata'] as { mark: string };
    const times = (asked.get(mark) ?? 0) + 1;
    asked.set(mark, times);
    if (keyOf(request.peer) !== `Bearer ${keyFor(front === undefined ? 'c0' : mark)}`)
      tally.foreign.push(`${mark} was asked with another key`);
    blame.carried(mark, request.peer);
    const quiet = secretly?.(request);
    if (quiet !== undefined) return quiet;
    const dice = random('fault', mark, times);
    const retry = Number(mark.split('.').at(-1));
    if (!dice.chance(rate / (times + retry))) return undefined;
    const fitting = Object.entries(faults).filter(
      ([name, { via }]) => (via === undefined || via === request.via) && only?.includes(name) !== false,
    );
    if (fitting.length === 0) return undefined;
    const [name, fault] = dice.of<[string, Fault]>(fitting);
    tally.fault(`${name} (${request.via})`);
    blame.struck(mark, request.peer, fault.hurts !== false);
    return fault.course(dice, request);
  };
  let upgrades = 0;
  const server = await FaultServer.start(
    serve({
      service: new Service(),
      course,
      upgrade: (peer) => {
        upgrades += 1;
        if (!random('upgrade', upgrades).chance(rate / 10)) return peer.accept();
        tally.fault('503 (upgrade)');
        peer.http(503, '{"error":{"message":"not now"}}', { 'retry-after-ms': '20' });
      },
    }),
  );
  const maxSockets = Math.max(1, conversations >> 1);
  const witness = new Witness({ budgetMs: 600_000, maxAttempts: 6, maxSockets, secret });
  // The gateway's time is the machine's, which may be busy. It must give up before its clients do.
  const front = gateway
    ? await Front.start(server.url, {
        upstream: {
          first_event_ms: 2000,
          idle_ms: 2000,
          max_connections: maxSockets,
          // The breaker rests for as long as at work: of those runs most turns go by SSE.
          transport: seed % 2 === 0 ? 'auto' : 'websocket',
        },
      })
    : undefined;
  const limitMs = front === undefined ? 10_000 : 600_000;
  const time = new RunningTime(pace);
  const clients = Array.from({ length: front === undefined ? 1 : tenants }, (_, tenant) => {
    const client = clientWith(time, {
      apiKey: keyFor(`c${tenant}`),
      baseUrl: front?.url ?? server.url,
      onWarning: (message) => witness.warned(message),
      pool: { maxConnections: maxSockets },
      timeouts: { firstEventMs: limitMs, idleMs: limitMs },
    });
    witness.watch(client);
    return client;
  });
  try {
    await Promise.all(
      Array.from({ length: conversations }, (_, index) =>
        converse({
          client: clients[index % clients.length] as Client,
          name: `c${index}`,
          turns,
          random,
          tally,
          effects: witness.effects,
          blame,
        }),
      ),
    );
  } finally {
    witness.destroy();
    front?.destroy();
    await server.close();
    await eventually('sockets and timers are gone', () => witness.handlesAreGone, 60_000);
    for (const { invariant, what } of violations(witness.testify(server, front)))
      tally[kinds[invariant] ?? 'lost'].push(`${invariant}: ${what}`);
  }
  return tally;
}
