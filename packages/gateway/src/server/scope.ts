import { Refusal } from '../base/refusal.js';
import { readBody } from '../relay/http/body.js';
import { bodyOf, textField } from '../relay/create.js';
import { checkIds, withPermittedModel, unknownModel } from '../relay/access/policy.js';
import { passAnswerOn } from '../upstream/pass-through.js';
import type { JsonObject, RelayBodies } from '@turnwire/client/relay';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Policy, Principal } from '../upstream/principal.js';
import type { PassThrough, PassedRequest, PassedAnswer } from '../upstream/pass-through.js';
import type { Quotas } from '../relay/access/quotas.js';
import type { IdRegistry } from '../relay/access/id-registry.js';

export interface ScopeOptions {
  passThrough: PassThrough;
  registry: IdRegistry;
  quotas: Quotas;
  bodies: RelayBodies;
  bodyBytes: number;
  /** Paths that are served in addition to those of the API. */
  paths: readonly string[];
}

/** A request of a principal other than a turn. */
export interface ScopedRequest {
  principal: Principal;
  policy: Policy;
  path: string;
  query: string;
  request: IncomingMessage;
  response: ServerResponse;
  passed: PassedRequest;
}

/** The largest answer whose ids and tokens are read, in bytes. */
const maxAnswerBytes = 8 * 1024 * 1024;

/** Serves a principal its own responses, conversations and models. An id that belongs to another principal is answered as not found. */
export async function serveScoped(options: ScopeOptions, asked: ScopedRequest): Promise<void> {
  const { path, response, passed } = asked;
  const [, first = '', second, ...rest] = path.split('/').map(decoded);
  if (options.paths.some((one) => path === one || path.startsWith(`${one}/`)))
    return passAnswerOn(await options.passThrough.ask(passed), response);
  if (first === 'models' && second === undefined && passed.method === 'GET') return serveModels(options, asked);
  if (first === 'models' && second !== undefined && passed.method === 'GET')
    return serveModel(options, asked, [second, ...rest].join('/'));
  if (first === 'responses' && (second === 'compact' || second === 'input_tokens')) return serveChecked(options, asked);
  if (first === 'conversations' && (second === undefined || second === '')) return serveChecked(options, asked);
  if ((first === 'responses' || first === 'conversations') && second !== undefined) {
    if (!(await options.registry.isOwn(asked.principal.id, second))) throw notFound(first, second);
    return passed.method === 'POST' && first === 'conversations'
      ? serveChecked(options, asked)
      : passAnswerOn(await options.passThrough.ask(passed), response);
  }
  throw new Refusal(`this gateway does not serve ${path.slice(0, 200)} (paths)`, { status: 404, code: 'unknown_path' });
}

/** Passes on a request whose body may name ids and models, and whose answer may bring a new id. */
async function serveChecked(
  options: ScopeOptions,
  { principal, request, response, passed, query, path }: ScopedRequest,
): Promise<void> {
  const { registry, quotas, bodies, bodyBytes, passThrough } = options;
  const isPost = passed.method === 'POST';
  let { body } = passed;
  const headers = { ...passed.headers };
  if (isPost && body !== undefined) {
    const raw = await readBody(request, response, bodyBytes);
    delete headers['content-encoding'];
    const isEmpty = raw.every((chunk) => chunk.length === 0);
    const params = isEmpty ? undefined : bodies.read(raw)?.params;
    if (!isEmpty && params === undefined)
      throw new Refusal('the request body is not a JSON object', { code: 'invalid_json' });
    if (params !== undefined) {
      await checkIds(params, principal, registry);
      const asked = { params, raw, bytes: 0, keep: () => {} };
      const sent = path.startsWith('/responses') ? withPermittedModel(asked, principal) : asked;
      body = Buffer.from(bodyOf(sent));
      headers['content-length'] = String(body.length);
    }
  }
  delete headers['accept-encoding'];
  const end = isPost ? quotas.begin(principal) : () => {};
  let tokens = 0;
  try {
    const answer = await passThrough.ask({ ...passed, path: path + query, headers, body });
    const text = await wholeText(answer);
    const said = parsed(text);
    if (answer.statusCode < 300 && said !== undefined) {
      const id = textField(said, 'id');
      if (isPost && id !== undefined) registry.note(principal.id, [id]);
      const usage = said['usage'] as { total_tokens?: unknown } | null | undefined;
      if (typeof usage?.total_tokens === 'number') tokens = usage.total_tokens;
    }
    send(response, answer, text);
  } finally {
    end(tokens);
  }
}

async function serveModels(
  { passThrough }: ScopeOptions,
  { policy, passed, response, path, query }: ScopedRequest,
): Promise<void> {
  const answer = await passThrough.ask({ ...passed, path: path + query, headers: plain(passed.headers) });
  const text = await wholeText(answer);
  const said = parsed(text);
  const { models, aliases } = policy;
  if (answer.statusCode >= 300 || said === undefined || !Array.isArray(said['data']))
    return send(response, answer, text);
  const data = said['data'].filter(
    (model) => models === undefined || models.has(textField(model as JsonObject, 'id') ?? ''),
  );
  for (const id of aliases.keys()) data.push({ id, object: 'model', created: 0, owned_by: 'alias' });
  send(response, answer, JSON.stringify({ ...said, data }));
}

async function serveModel(
  { passThrough }: ScopeOptions,
  { policy, passed, response, query }: ScopedRequest,
  asked: string,
): Promise<void> {
  const { models, aliases } = policy;
  const model = aliases.get(asked) ?? asked;
  if (models !== undefined && !models.has(model) && !aliases.has(asked)) throw unknownModel(asked);
  await passAnswerOn(
    await passThrough.ask({ ...passed, path: `/models/${model.split('/').map(encodeURIComponent).join('/')}${query}` }),
    response,
  );
}

function send(response: ServerResponse, { statusCode, headers }: PassedAnswer, text: string): void {
  const {
    'content-length': _length,
    'transfer-encoding': _coding,
    connection: _connection,
    'keep-alive': _alive,
    ...rest
  } = headers;
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) response.setHeader(name, value);
  response.writeHead(statusCode, { 'content-length': Buffer.byteLength(text) }).end(text);
}

/** The same headers without `accept-encoding`, since the gateway reads the answer. */
function plain(headers: PassedRequest['headers']): PassedRequest['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'accept-encoding'));
}

async function wholeText({ body }: PassedAnswer): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes)
      throw new Refusal('the answer of the upstream is too large', { status: 502, code: 'answer_too_large' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

function notFound(kind: string, id: string): Refusal {
  const name = kind === 'responses' ? 'Response' : 'Conversation';
  return new Refusal(`${name} with id '${id.slice(0, 200)}' not found.`, {
    status: 404,
    code: 'not_found',
    param: 'id',
  });
}

/** A segment of the path, decoded as the upstream will decode it. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
