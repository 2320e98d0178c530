import { createFetch } from '@turnwire/client/fetch';
// Imported by its file: for the bare name Bun has an HTTP client of its own, which ignores the certificate authority of an Agent.
import { Agent, fetch } from 'undici/index.js';
import { agentLoop } from './agent-loop.js';
import type { Fetch } from './agent-loop.js';
import type { Endpoint, Program } from './program.js';

/** The program with Node's own fetch, taken from undici: the global one cannot be given a certificate authority to trust. */
export function ordinaryFetch({ url, ca }: Endpoint): Program {
  const dispatcher = new Agent({ connect: { ca } });
  return withFetch(
    url,
    (to, init) => fetch(to, { ...init, dispatcher } as never),
    () => dispatcher.close(),
  );
}

export function turnwireFetch({ url, ca }: Endpoint): Program {
  // Without the proxy of the environment: the simulated link is on this machine.
  const carried = createFetch({ network: { ca, proxy: false }, onWarning: false });
  return withFetch(url, carried, () => carried.close());
}

function withFetch(url: string, fetch: Fetch, close: () => Promise<void>): Program {
  return { run: (options) => agentLoop({ ...options, url, fetch }), close };
}
