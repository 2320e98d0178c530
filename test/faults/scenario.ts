import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '@turnwire/client';
import type { Client, ClientOptions, ResponseEvent, Turn, TurnwireError } from '@turnwire/client';
import { FaultServer } from './server/server.js';
import type { Script } from './server/peer.js';

export interface Scenario {
  server: FaultServer;
  client: Client;
  warnings: string[];
}

/**
 * A test with a fault server and a client of it, and the check that is the same after each: nothing was thrown into the void, and neither
 * a socket nor a timer is left that would keep a process alive.
 */
export function scenario(
  name: string,
  script: Script,
  options: ClientOptions,
  run: (scenario: Scenario) => Promise<void>,
): void {
  test(name, { timeout: 20_000 }, async () => {
    const strays: unknown[] = [];
    const onStray = (stray: unknown): void => void strays.push(stray);
    const events = ['unhandledRejection', 'uncaughtException', 'warning'] as const;
    for (const event of events) process.on(event, onStray);
    const before = handles();
    const warnings: string[] = [];
    const server = await FaultServer.start(script);
    const client = createClient({
      apiKey: 'sk-test',
      baseUrl: server.url,
      onWarning: (message) => warnings.push(message),
      ...options,
    });
    try {
      await run({ server, client, warnings });
    } finally {
      client.destroy();
      await server.close();
      await eventually('sockets and timers are gone', () => handles() <= before);
      for (const event of events) process.removeListener(event, onStray);
    }
    assert.deepEqual(strays, []);
  });
}

/** What would keep this process alive: sockets and timers that are not unref'd. */
function handles(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout/.test(kind)).length;
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
