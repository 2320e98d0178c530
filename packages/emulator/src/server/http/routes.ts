import { findModel, listModels } from '../../engine/models.js';
import {
  createConversation,
  createItems,
  deleteConversation,
  deleteItem,
  getConversation,
  getItem,
  listItems,
  updateConversation,
} from './conversations.js';
import { segment, type Endpoint } from './exchange.js';
import { cancel, compact, inputItems, inputTokens, remove, retrieve } from './responses.js';

interface Route {
  /** The path below the base path. `{}` stands for a variable segment. */
  readonly path: string;
  readonly methods: Readonly<Record<string, Endpoint>>;
}

/** The endpoints beside `/v1/responses` itself. The first path that fits a request serves it. */
const routes: readonly Route[] = [
  { path: 'responses/compact', methods: { POST: compact } },
  { path: 'responses/input_tokens', methods: { POST: inputTokens } },
  { path: 'responses/{}', methods: { GET: retrieve, DELETE: remove } },
  { path: 'responses/{}/input_items', methods: { GET: inputItems } },
  { path: 'responses/{}/cancel', methods: { POST: cancel } },
  { path: 'conversations', methods: { POST: createConversation } },
  {
    path: 'conversations/{}',
    methods: { GET: getConversation, POST: updateConversation, DELETE: deleteConversation },
  },
  { path: 'conversations/{}/items', methods: { GET: listItems, POST: createItems } },
  { path: 'conversations/{}/items/{}', methods: { GET: getItem, DELETE: deleteItem } },
  {
    path: 'models',
    methods: {
      GET: async ({ engine, recordings }) => ({
        object: 'list',
        data: await listModels(engine.models, recordings),
      }),
    },
  },
  {
    path: 'models/{}',
    methods: {
      GET: (exchange) => findModel(segment(exchange), exchange.engine.models, exchange.recordings),
    },
  },
];

const routePatterns = routes.map(({ path, methods }) => ({
  pattern: new RegExp(`^${path.replaceAll('{}', '([^/]+)')}$`),
  methods,
}));

interface Found {
  readonly methods: Readonly<Record<string, Endpoint>>;
  readonly segments: readonly string[];
}

export function findRoute(path: string): Found | undefined {
  for (const { pattern, methods } of routePatterns) {
    const match = pattern.exec(path);
    if (match !== null) return { methods, segments: match.slice(1).map(decoded) };
  }
  return undefined;
}

function decoded(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    // A segment that cannot be decoded is not an id, and will not be found.
    return encoded;
  }
}

/** The endpoint for a method. HEAD is answered as GET is, without the body (RFC 9110 §9.3.2). */
export function endpointFor<T>(methods: Readonly<Record<string, T>>, method = ''): T | undefined {
  const asked = method === 'HEAD' ? 'GET' : method;
  return Object.hasOwn(methods, asked) ? methods[asked] : undefined;
}
