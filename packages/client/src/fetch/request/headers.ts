import { maxKnownHeaderNames } from '../../base/bounds.js';
import type { FetchOptions, HeaderPattern } from '../options.js';

/**
 * What becomes of a request's header: part of the `identity`, for which connections are kept apart; sent with this `turn` alone, where it goes as a
 * POST; sent in the handshake, but of no meaning for it (`program`); `ours`, because the engine says it itself; or a reason to leave the whole request to the `ordinary` fetch.
 */
type HeaderUse = 'identity' | 'program' | 'turn' | 'ours' | 'ordinary';

/**
 * Everything that is not listed is a part of the identity: a wrong guess then costs a connection more, and never mixes two tenants (N3). A `*` stands
 * for any characters.
 */
export const headerTable: Readonly<Record<Exclude<HeaderUse, 'identity'>, readonly string[]>> = {
  program: [
    // The AI SDK sends one user agent for `generateText` and another one for `streamText`.
    'user-agent',
    // The SDK's language, version and machine.
    'x-stainless-*',
  ],
  turn: [
    // SDKs: which try this is, and by which method it was made.
    'x-stainless-retry-count',
    'x-stainless-timeout',
    'x-stainless-read-timeout',
    'x-stainless-helper',
    'x-stainless-helper-method',
    'x-stainless-raw-response',
    // Requests that are told apart.
    'request-id',
    '*-request-id',
    'x-correlation-id',
    'idempotency-key',
    'x-idempotency-key',
    // Codex.
    'x-codex-turn-*',
    'x-codex-window-id',
    'x-codex-inference-call-id',
    // Sessions and tasks: Codex, opencode, VS Code.
    'session-id',
    'session_id',
    'thread-id',
    'conversation_id',
    'x-session-id',
    'x-session-affinity',
    'x-opencode-session',
    'x-opencode-request',
    'x-agent-task-id',
    'x-interaction-id',
    'x-initiator',
    // Traces.
    'traceparent',
    'tracestate',
    'baggage',
    'b3',
    'x-b3-*',
    '*-trace-id',
    '*-span-id',
    'x-datadog-*',
    'x-cloud-trace-context',
    'grpc-trace-bin',
    'sentry-trace',
    'uberctx-*',
    'ot-tracer-*',
    'jaeger-debug-id',
    'x-ot-span-context',
    'request-context',
    'correlation-context',
    'elastic-apm-traceparent',
    'newrelic',
    'x-newrelic-*',
    'x-dynatrace',
    'singularityheader',
    'sw8',
    'sw8-*',
    'x-instana-*',
    'x-honeycomb-trace',
    'langsmith-trace',
  ],
  ours: [
    'accept',
    'accept-encoding',
    'connection',
    'content-length',
    'content-type',
    'keep-alive',
    // Node's own fetch sends this header; the connections of the engine belong to no page.
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

/** Headers that say who asks, whatever the options: `identityHeaders` need not name them, and `perRequestHeaders` must not. */
export const credentialHeaders: readonly string[] = [
  'authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'cookie',
  'openai-organization',
  'openai-project',
  'openai-beta',
  'chatgpt-account-id',
];

/** Patterns of further credentials: part of the identity even with `identityHeaders`, unless they are known to differ by request. */
const credentialPatterns: readonly string[] = ['*-auth', '*-authorization', '*-key', '*-secret', '*-token'];

export interface SplitHeaders {
  /** Headers by name, in lower case and sorted. */
  identity: Record<string, string>;
  program: Record<string, string>;
  turn: Record<string, string>;
}

export type HeaderOptions = Pick<FetchOptions, 'identityHeaders' | 'perRequestHeaders'>;

/** Which part of a request each of its headers belongs to. */
export class HeaderRules {
  readonly #perRequest: readonly RegExp[];
  readonly #identity: readonly RegExp[] | undefined;
  /** The use of each header seen so far, by name. */
  readonly #known = new Map<string, HeaderUse>();

  constructor({ perRequestHeaders = [], identityHeaders }: HeaderOptions = {}) {
    this.#perRequest = perRequestHeaders.map(expressionOf);
    this.#identity = identityHeaders?.map(expressionOf);
  }

  /** Only listed headers are part of the identity. */
  get isAllowList(): boolean {
    return this.#identity !== undefined;
  }

  /** undefined if the request goes to the ordinary fetch. */
  split(headers: Headers): SplitHeaders | undefined {
    const split: SplitHeaders = { identity: {}, program: {}, turn: {} };
    // `Headers` iterates in the order of names, so that the same headers make the same identity.
    for (const [name, value] of headers) {
      const use = this.#useOf(name);
      if (use === 'ordinary') return undefined;
      if (use !== 'ours') split[use][name] = value;
    }
    return split;
  }

  #useOf(name: string): HeaderUse {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const use = this.#judge(name);
    if (this.#known.size < maxKnownHeaderNames) this.#known.set(name, use);
    return use;
  }

  #judge(name: string): HeaderUse {
    if (isIn(tables.ordinary, name)) return 'ordinary';
    if (isIn(tables.ours, name)) return 'ours';
    if (isIn(this.#perRequest, name)) return 'turn';
    if (isIn(credentials, name) || (this.#identity !== undefined && isIn(this.#identity, name))) return 'identity';
    if (isIn(tables.turn, name)) return 'turn';
    if (isIn(tables.program, name)) return 'program';
    return this.#identity === undefined || isIn(credentialLike, name) ? 'identity' : 'turn';
  }
}

/** A pattern as an expression, anchored at both ends; an expression of the caller without its sticky and global flags. */
export function expressionOf(pattern: HeaderPattern): RegExp {
  if (typeof pattern !== 'string') return new RegExp(pattern.source, `${pattern.flags.replaceAll(/[giy]/g, '')}i`);
  const parts = pattern.split('*').map((part) => part.replaceAll(/[$.|+^]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 'i');
}

function isIn(expressions: readonly RegExp[], name: string): boolean {
  return expressions.some((expression) => expression.test(name));
}

const tables = {
  ordinary: headerTable.ordinary.map(expressionOf),
  ours: headerTable.ours.map(expressionOf),
  turn: headerTable.turn.map(expressionOf),
  program: headerTable.program.map(expressionOf),
};
const credentials = credentialHeaders.map(expressionOf);
const credentialLike = credentialPatterns.map(expressionOf);
