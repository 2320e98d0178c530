import { request } from 'node:http';
import { startGateway } from '@turnwire/gateway';
import { startEmulator } from 'turnwire/emulator';
import type { ConfigInput, Gateway, GatewayOptions } from '@turnwire/gateway';
import type { Emulator, EmulatorOptions } from 'turnwire/emulator';
import type { IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';

export interface Setup {
  emulator: Emulator;
  gateway: Gateway;
  /** Asks for a turn. */
  ask: (body?: object, init?: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> }) => Promise<Response>;
}

export type Configured = Omit<ConfigInput, 'upstream'> & { upstream?: Partial<ConfigInput['upstream']> };

/** An emulator and a gateway before it, both ended with the test. */
export async function setUp(
  t: TestContext,
  emulated: EmulatorOptions = {},
  { upstream, listen, ...config }: Configured = {},
  options: Partial<Omit<GatewayOptions, 'config'>> = {},
): Promise<Setup> {
  const emulator = await startEmulator(emulated);
  t.after(() => emulator.close());
  const gateway = await startGateway({
    config: { ...config, listen: { port: 0, ...listen }, upstream: { base_url: emulator.url, ...upstream } },
    onWarning: () => {},
    ...options,
  });
  t.after(() => gateway.destroy());
  const ask: Setup['ask'] = (body = {}, { headers, ...init } = {}) =>
    fetch(`${gateway.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-of-a-test', ...headers },
      body: JSON.stringify({ model: 'any', input: 'One two three.', ...body }),
      ...init,
    });
  return { emulator, gateway, ask };
}

/** The events of an answer, in order. */
export function eventsOf(text: string): Record<string, unknown>[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '' && !block.startsWith(':'))
    .map((block) => {
      const [, type, data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      const event = JSON.parse(data) as Record<string, unknown>;
      if (event['type'] !== type) throw new Error(`"event: ${type}" stands before ${data}`);
      return event;
    });
}

/** The error of an answer. */
export async function errorOf(response: Response): Promise<Record<string, unknown>> {
  return ((await response.json()) as { error: Record<string, unknown> }).error;
}

export function message(text: string, role = 'user'): object {
  return { type: 'message', role, content: text };
}

/** Sends requests that `fetch` does not allow: any method, any header. */
export function raw(
  url: string,
  options: { method?: string; headers?: Record<string, string>; path?: string; body?: string | Buffer },
) {
  const { hostname, port, pathname } = new URL(url);
  return new Promise<IncomingMessage & { text: string }>((resolve, reject) => {
    const asked = request(
      {
        hostname,
        port,
        path: options.path ?? pathname,
        method: options.method ?? 'GET',
        headers: options.headers ?? {},
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.on('end', () => resolve(Object.assign(answer, { text })));
      },
    );
    asked.on('error', reject);
    asked.end(options.body);
  });
}
