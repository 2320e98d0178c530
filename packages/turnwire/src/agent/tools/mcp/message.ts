/**
 * JSON-RPC as MCP servers write it. Faulty messages are read as far as possible: an answer is recognised by its id alone, so that no request waits for ever
 * because another part of its answer is wrong.
 */

export type Fields = Readonly<Record<string, unknown>>;

export type Message =
  /** `id` is undefined where the server did not say which request it answers. */
  | { kind: 'answer'; id: string | undefined; answer: Answer }
  | { kind: 'request'; id: string | number; method: string; params: Fields }
  | { kind: 'notification'; method: string; params: Fields };

export type Answer =
  | { kind: 'result'; result: unknown }
  | { kind: 'error'; code: number | undefined; message: string; data: unknown }
  /** The answer is no JSON, or has neither a result nor an error. */
  | { kind: 'unreadable'; text: string };

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The messages in a text; none for a text without messages, such as a line of a log. */
export function parseMessages(text: string): Message[] {
  const value = parseJson(text.replace(/^\uFEFF/, '')) ?? parseJson(repaired(text));
  if (value !== undefined) return (Array.isArray(value) ? value : [value]).flatMap(readMessage);
  const id = /^\s*\{.*?"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)/s.exec(text)?.[1];
  if (id === undefined || !text.includes('"jsonrpc"')) return [];
  return [{ kind: 'answer', id: id.replaceAll('"', ''), answer: { kind: 'unreadable', text } }];
}

function readMessage(value: unknown): Message[] {
  if (!isFields(value)) return [];
  const { jsonrpc: _version, id, method, params, error, ...rest } = value;
  const known = typeof id === 'string' || typeof id === 'number' ? id : undefined;
  if (typeof method === 'string') {
    const fields = isFields(params) ? params : {};
    return known === undefined
      ? [{ kind: 'notification', method, params: fields }]
      : [{ kind: 'request', id: known, method, params: fields }];
  }
  const answer = readAnswer(error, rest, value);
  // Without an id, only an error counts as an answer: servers send one when they could not read the request.
  if (known === undefined && answer.kind !== 'error' && !('result' in rest)) return [];
  return [{ kind: 'answer', id: known === undefined ? undefined : String(known), answer }];
}

function readAnswer(error: unknown, rest: Fields, whole: Fields): Answer {
  if (error !== undefined && error !== null) {
    const { code, message, data } = isFields(error) ? error : { code: undefined, message: error, data: undefined };
    return {
      kind: 'error',
      code: typeof code === 'number' ? code : undefined,
      message: typeof message === 'string' && message.trim() !== '' ? message : JSON.stringify(error),
      data,
    };
  }
  if ('result' in rest) return { kind: 'result', result: rest['result'] };
  // Some servers put the fields of a result beside the id, not inside of "result".
  if (Object.keys(rest).length > 0) return { kind: 'result', result: rest };
  return { kind: 'unreadable', text: JSON.stringify(whole) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** JSON without two mistakes that other languages make: NaN and Infinity, and control characters within strings. */
function repaired(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/gs, (token) =>
    token.startsWith('"')
      ? // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
        token.replace(/[\u0000-\u001f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
      : 'null',
  );
}
