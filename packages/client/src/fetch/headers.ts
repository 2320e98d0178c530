/**
 * What becomes of a request's header: part of the `identity`, for which connections are kept apart; sent with this `turn` alone, where it goes as a
 * POST; sent in the handshake, but of no meaning for it (`program`); `ours`, because the engine says it itself; or a reason to leave the whole request to the `ordinary` fetch.
 */
type Use = 'identity' | 'program' | 'turn' | 'ours' | 'ordinary';

/**
 * Everything that is not listed is a part of the identity: a wrong guess then costs a connection more, and never mixes two tenants (N3). A
 * name that ends in `*` stands for all that begin with it.
 */
export const headerTable: Readonly<Record<Exclude<Use, 'identity'>, readonly string[]>> = {
  // The AI SDK names another one for `generateText` than for `streamText`.
  program: ['user-agent'],
  turn: [
    // SDKs: which try this is, and by which method it was made.
    'x-stainless-retry-count',
    'x-stainless-timeout',
    'x-stainless-read-timeout',
    'x-stainless-helper',
    'x-stainless-helper-method',
    'x-stainless-raw-response',
    // Requests that are told apart.
    'x-request-id',
    'x-client-request-id',
    'x-ms-client-request-id',
    'x-correlation-id',
    'request-id',
    'idempotency-key',
    'x-idempotency-key',
    // Traces.
    'traceparent',
    'tracestate',
    'baggage',
    'b3',
    'x-b3-*',
    'x-datadog-*',
    'x-amzn-trace-id',
    'x-cloud-trace-context',
    'sentry-trace',
    'uber-trace-id',
    'elastic-apm-traceparent',
    'newrelic',
  ],
  ours: [
    'accept',
    'accept-encoding',
    'connection',
    'content-length',
    'content-type',
    'keep-alive',
    // Node's own fetch says it; the engine's connections are no page's.
    'sec-fetch-mode',
    'upgrade',
    'sec-websocket-*',
  ],
  ordinary: [
    'content-encoding',
    'expect',
    'host',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
  ],
};

export interface SplitHeaders {
  /** By name, in lower case and sorted. */
  identity: Record<string, string>;
  program: Record<string, string>;
  turn: Record<string, string>;
}

/** undefined where the request is one for the ordinary fetch. */
export function splitHeaders(headers: Headers): SplitHeaders | undefined {
  const split: SplitHeaders = { identity: {}, program: {}, turn: {} };
  // `Headers` iterates in the order of names, so that the same headers make the same identity.
  for (const [name, value] of headers) {
    const use = useOf(name);
    if (use === 'ordinary') return undefined;
    if (use !== 'ours') split[use][name] = value;
  }
  return split;
}

const exact = new Map<string, Use>();
const prefixes: [string, Use][] = [];
for (const use of ['program', 'turn', 'ours', 'ordinary'] as const) {
  for (const name of headerTable[use]) {
    if (name.endsWith('*')) prefixes.push([name.slice(0, -1), use]);
    else exact.set(name, use);
  }
}

function useOf(name: string): Use {
  return exact.get(name) ?? prefixes.find(([prefix]) => name.startsWith(prefix))?.[1] ?? 'identity';
}
