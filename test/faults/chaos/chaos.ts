import { Service } from '../model/service.js';
import { serve } from '../model/serve.js';
import { violations } from '../oracle/oracle.js';
import { Witness } from '../oracle/witness.js';
import { clientWith } from '../quick-client.js';
import { eventually } from '../scenario.js';
import { FaultServer } from '../server/server.js';
import { Blame } from './blame.js';
import { converse } from './conversation.js';
import { faults } from './faults.js';
import { Random } from './random.js';
import { RunningTime } from './running-time.js';
import { Tally } from './tally.js';
import type { Asked, Course } from '../model/serve.js';
import type { Invariant } from '../oracle/oracle.js';
import type { Fault } from './faults.js';

export interface ChaosOptions {
  seed: number;
  conversations: number;
  /** Questions of each conversation; what fails is asked again, and counts once more. */
  turns: number;
  /** How often something goes wrong with a request. @default 0.5 */
  rate?: number;
  /** Of `faults`, the ones that happen. @default all */
  only?: readonly string[];
  /** A fault that nobody is told of: what it loses is lost. For the proof that this is noticed. */
  secretly?: (request: Asked) => Course | undefined;
}

const secret = 'sk-chaos-sentinel';

/** How a violated invariant is counted; the other ones as losses. */
const kinds: Partial<Record<Invariant, 'doubled' | 'mixedUp'>> = {
  'text is the response’s text, once, in order': 'doubled',
  'asked no more often than allowed, tools run once, usage as billed': 'doubled',
  'the transcript that the server used is the caller’s input': 'mixedUp',
};

/** How quickly time passes for the client: its limits and waits are those of a real one, and take a twentieth of them. */
const pace = 20;

/**
 * Many conversations over one client, interleaved, while a server does what it wants. What happens to a request is decided by the seed,
 * its turn, and how often it was asked: a failing seed fails again. The oracle has the last word.
 */
export async function chaos(options: ChaosOptions): Promise<Tally> {
  const { seed, conversations, turns, rate = 0.5, only, secretly } = options;
  const tally = new Tally();
  const random = (...name: readonly (string | number)[]): Random => new Random(seed, ...name);
  const asked = new Map<string, number>();
  const blame = new Blame();
  const course = (request: Asked): Course | undefined => {
    const { mark } = request.request['metadata'] as { mark: string };
    const times = (asked.get(mark) ?? 0) + 1;
    asked.set(mark, times);
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
  const client = clientWith(new RunningTime(pace), {
    apiKey: secret,
    baseUrl: server.url,
    onWarning: (message) => witness.warned(message),
    pool: { maxConnections: maxSockets },
    timeouts: { firstEventMs: 10_000, idleMs: 10_000 },
  });
  witness.watch(client);
  try {
    await Promise.all(
      Array.from({ length: conversations }, (_, index) =>
        converse({
          client,
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
    await server.close();
    await eventually('sockets and timers are gone', () => witness.handlesAreGone, 60_000);
    for (const { invariant, what } of violations(witness.testify(server)))
      tally[kinds[invariant] ?? 'lost'].push(`${invariant}: ${what}`);
  }
  return tally;
}
