/** A client of the comparison. The list below has the order of the tables. */
export interface Client {
  id: string;
  title: string;
  /** The file in clients/, and the name of its export. */
  file: string;
  name: string;
  /** The package that the client's users import. */
  package: string;
  /** The oldest major version of Node that the client runs on. */
  node?: number;
}

export const clients: readonly Client[] = [
  {
    id: 'sink',
    title: 'the server alone (bytes counted, nothing parsed)',
    file: 'floor',
    package: 'node:net',
    name: 'openSink',
  },
  {
    id: 'floor',
    title: 'bare socket, hand-written splitter, JSON.parse',
    file: 'floor',
    package: 'node:net',
    name: 'open',
  },
  { id: 'ws', title: 'ws + JSON.parse', file: 'ws', package: 'ws', name: 'open' },
  { id: 'undici', title: "undici's WebSocket + JSON.parse", file: 'undici', package: 'undici', name: 'open' },
  {
    id: 'parser',
    title: 'fetch + eventsource-parser + JSON.parse',
    file: 'parser',
    package: 'eventsource-parser',
    name: 'open',
  },
  { id: 'openai-ws', title: 'openai, ResponsesWS', file: 'openai', package: 'openai', name: 'openWebSocket' },
  { id: 'openai-sse', title: 'openai, create over SSE', file: 'openai', package: 'openai', name: 'openSse' },
  { id: 'openai-stream', title: 'openai, stream() over SSE', file: 'openai', package: 'openai', name: 'openStream' },
  // The WebSocket mode of this client needs a global WebSocket that takes headers.
  {
    id: 'agents-ws',
    title: 'Agents SDK, model over WebSocket',
    file: 'agents',
    package: '@openai/agents',
    name: 'openWebSocket',
    node: 22,
  },
  {
    id: 'agents-sse',
    title: 'Agents SDK, model over SSE',
    file: 'agents',
    package: '@openai/agents',
    name: 'openSse',
    node: 22,
  },
  {
    id: 'agents-runner',
    title: 'Agents SDK, its Runner over SSE',
    file: 'agents',
    package: '@openai/agents',
    name: 'openRunner',
    node: 22,
  },
  { id: 'ai', title: 'AI SDK, streamText over SSE', file: 'ai', package: 'ai', name: 'openSse', node: 22 },
  {
    id: 'turnwire-ws',
    title: 'turnwire over WebSocket',
    file: 'turnwire',
    package: '@turnwire/client',
    name: 'openWebSocket',
  },
  { id: 'turnwire-sse', title: 'turnwire over SSE', file: 'turnwire', package: '@turnwire/client', name: 'openSse' },
  {
    id: 'turnwire-fetch',
    title: "turnwire's fetch, bare",
    file: 'turnwire',
    package: '@turnwire/client/fetch',
    name: 'openFetch',
  },
  { id: 'openai-fetch', title: "openai on turnwire's fetch", file: 'openai', package: 'openai', name: 'openOnFetch' },
  {
    id: 'agents-fetch',
    title: "Agents SDK on turnwire's fetch",
    file: 'agents',
    package: '@openai/agents',
    name: 'openOnFetch',
    node: 22,
  },
  { id: 'ai-fetch', title: "AI SDK on turnwire's fetch", file: 'ai', package: 'ai', name: 'openOnFetch', node: 22 },
];

/** @throws Error for an id that no client has. */
export function clientOf(id: string): Client {
  const client = clients.find((known) => known.id === id);
  if (client === undefined) throw new Error(`no client of the bench: ${id}`);
  return client;
}
