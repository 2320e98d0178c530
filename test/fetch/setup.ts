import { createFetch } from '@turnwire/client/fetch';
import { startEmulator } from 'turnwire/emulator';
import type { FetchOptions, TurnwireFetch } from '@turnwire/client/fetch';
import type { Emulator, EmulatorOptions } from 'turnwire/emulator';
import type { TestContext } from 'node:test';

type Init = Omit<NonNullable<Parameters<TurnwireFetch>[1]>, 'headers'>;

export interface Setup {
  emulator: Emulator;
  fetch: TurnwireFetch;
  /** Asks for a turn; `body` and `init` are added to what every turn has. */
  ask: (body?: object, init?: Init & { headers?: Record<string, string> }) => Promise<Response>;
}

/** An emulator and a fetch, both ended with the test. */
export async function setUp(
  t: TestContext,
  emulated: EmulatorOptions = {},
  options: FetchOptions = {},
): Promise<Setup> {
  const emulator = await startEmulator(emulated);
  const fetch = createFetch({ onWarning: false, ...options });
  t.after(async () => {
    await emulator.close();
    await fetch.close();
  });
  const ask: Setup['ask'] = (body = {}, { headers, ...init } = {}) =>
    fetch(`${emulator.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-of-a-test', ...headers },
      body: JSON.stringify({ model: 'any', input: 'One two three.', ...body }),
      ...init,
    });
  return { emulator, fetch, ask };
}

/** The fault that the turn asks for itself. */
export function suffering(fault: string): { metadata: { turnwire_fault: string } } {
  return { metadata: { turnwire_fault: fault } };
}

/** The events of an answer, in order. */
export function eventsOf(text: string): Record<string, unknown>[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const [, type, data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      const event = JSON.parse(data) as Record<string, unknown>;
      if (event['type'] !== type) throw new Error(`"event: ${type}" stands before ${data}`);
      return event;
    });
}
