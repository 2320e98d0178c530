import type { Response } from 'undici';
import { McpFailure } from '../failure.js';
import { redirectTarget, textOf } from './http.js';
import { isFields, type Message, parseMessages } from '../message.js';

/** The most bytes of a refusal's body that are read, and the most characters that are shown. */
const bodyLimit = 64 * 1024;
const longestReason = 500;

/**
 * The meaning of an answer whose status is no success: a failure, or, whatever the status, the answer to the request in its body. With 4xx or a redirect the
 * request did not run; with 5xx it may have run. Where there is a session, 404, 410 and 400 mean that the server does not know it any more; without one, only
 * the text of the answer can say so.
 */
export async function readRefusal(
  response: Response,
  { url, hasSession, requestId }: { url: URL; hasSession: boolean; requestId?: string | undefined },
): Promise<McpFailure | Message> {
  const { status } = response;
  const text = await textOf(response, bodyLimit).catch(() => '');
  const target = redirectTarget(url, response);
  if (target !== undefined) {
    const message = `it redirects to ${target.origin}${target.pathname}; if that is the server, give this address as its url (status ${status})`;
    return new McpFailure('refused', message, { status });
  }
  const reason = reasonIn(text);
  const tellsOfSession = status < 500 && saysSessionIsLost(reason);
  const answer = parseMessages(text).find((message) => message.kind === 'answer' && message.id === requestId);
  if (answer !== undefined && requestId !== undefined && !tellsOfSession) return answer;
  const lost = tellsOfSession || (hasSession && [400, 404, 410].includes(status));
  const kind = lost ? 'connection_lost' : status < 500 ? 'refused' : 'unanswered';
  const verb = status < 500 ? 'refused the request' : 'failed';
  return new McpFailure(kind, `it ${verb} (status ${status})${reason === '' ? '' : `: ${reason}`}`, { status });
}

/** True where a text says that the server does not know the session: servers have no common code for it. */
export function saysSessionIsLost(reason: string): boolean {
  const session =
    /session/i.test(reason) &&
    /not found|invalid|no valid|expired|unknown|missing|required|terminated|does not exist/i.test(reason);
  return session || /not (yet )?initialized/i.test(reason);
}

/** The reason in a body: the message of a JSON-RPC error or of another JSON, or the text of a page. */
function reasonIn(text: string): string {
  let said: unknown;
  try {
    const value: unknown = JSON.parse(text);
    const error = isFields(value) ? (value['error'] ?? value['message'] ?? value['detail']) : value;
    said = isFields(error) ? (error['message'] ?? JSON.stringify(error)) : error;
  } catch {
    said = text.replace(/<(style|script|title)\b[^>]*>[^]*?<\/\1>|<[^>]*>/gi, ' ');
  }
  const words = typeof said === 'string' ? said : JSON.stringify(said ?? '');
  return words.replace(/\s+/g, ' ').trim().slice(0, longestReason).toWellFormed();
}
