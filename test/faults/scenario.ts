import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '@turnwire/client';
import type { TestOptions } from 'node:test';
import type { Client, ClientOptions, ResponseEvent, Turn, TurnwireError } from '@turnwire/client';
import { violations } from './oracle/oracle.js';
import { Witness } from './oracle/witness.js';
import { quickClient } from './quick-client.js';
import { FaultServer } from './server/server.js';
import type { Script } from './server/peer.js';

export interface ScenarioOptions extends TestOptions {
  /** Time passes faster for the client: ten times as fast, or so many times. @default false */
  quick?: boolean | number;
  /** The longest that a turn may take, in milliseconds of the client's time. @default 20_000, or 60_000 where that passes faster */
  budgetMs?: number;
  /** A part of the answers comes from elsewhere than the server, so the oracle knows nothing of it. @default false */
  handwritten?: boolean;
}

/** For tests that move tens of megabytes: on a busy machine these take longer than any limit of a small turn. */
export const large: ScenarioOptions = { timeout: 90_000, budgetMs: 90_000 };

export interface Scenario {
  server: FaultServer;
  client: Client;
  /** Another client of the same server, with options of its own; the oracle watches it as well, and it ends with the scenario. */
  open: (options?: ClientOptions) => Client;
  warnings: string[];
  /** To be told of each tool that is run. */
  effects: Map<string, number>;
}

const secret = 'sk-test-sentinel';

/**
 * A test with a fault server and a client of it, and after it the oracle: whatever the scenario was about, its ten invariants hold.
 */
export function scenario(
  name: string,
  script: Script,
  options: ClientOptions,
  run: (scenario: Scenario) => Promise<void>,
  { quick = false, budgetMs = quick === false ? 20_000 : 60_000, handwritten = false, ...more }: ScenarioOptions = {},
): void {
  test(name, { timeout: 20_000, ...more }, async () => {
    const key = typeof options.apiKey === 'string' ? options.apiKey : secret;
    const maxSockets = options.pool?.maxConnections ?? 32;
    const witness = new Witness({ budgetMs, maxAttempts: 5, maxSockets, secret: key, handwritten });
    const warnings: string[] = [];
    const server = await FaultServer.start(script);
    const open = (own: ClientOptions = {}): Client => {
      const all: ClientOptions = {
        apiKey: key,
        baseUrl: server.url,
        onWarning: (message) => {
          warnings.push(message);
          witness.warned(message);
        },
        ...own,
      };
      const client = quick === false ? createClient(all) : quickClient(all, quick === true ? 10 : quick);
      witness.watch(client);
      return client;
    };
    let client: Client;
    try {
      client = open(options);
    } catch (error) {
      witness.stop();
      await server.close();
      throw error;
    }
    try {
      await run({ server, client, open, warnings, effects: witness.effects });
    } finally {
      witness.destroy();
      await server.close();
      await eventually('sockets and timers are gone', () => witness.handlesAreGone);
      const found = violations(witness.testify(server));
      assert.deepEqual(found, []);
    }
  });
}

/** Waits until it is so; fails by name when it is not so in time. For what happens elsewhere, and has no event here. */
export async function eventually(what: string, isSo: () => boolean, ms = 5000): Promise<void> {
  const until = performance.now() + ms;
  while (!isSo()) {
    if (performance.now() > until) throw new assert.AssertionError({ message: `not within ${ms} ms: ${what}` });
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** How a turn came out, whatever way: its events, then the response or the error. */
export interface Result {
  events: ResponseEvent[];
  thrown: TurnwireError | undefined;
  error: TurnwireError | undefined;
  text: string | undefined;
}

export async function read(turn: Turn): Promise<Result> {
  const events: ResponseEvent[] = [];
  let thrown: TurnwireError | undefined;
  const settled = turn.text().then(
    (text) => ({ text, error: undefined }),
    (error: TurnwireError) => ({ text: undefined, error }),
  );
  try {
    for await (const event of turn) events.push(event);
  } catch (error) {
    thrown = error as TurnwireError;
  }
  return { events, thrown, ...(await settled) };
}

export function types(events: readonly ResponseEvent[]): string[] {
  return events.map(({ type }) => type);
}
