import { TurnwireError } from '../../protocol/errors/errors.js';

let hasWarned = false;

/**
 * Refuses `new OpenAI({ fetch: createFetch })`, where `createFetch()` was meant: the SDK then calls `createFetch` with a request. Some SDKs show only
 * "Connection error." and hide its cause, so the sentence is a warning of the process as well, once.
 *
 * @throws TurnwireError `invalid_option`
 */
export function checkArguments(given: readonly unknown[]): void {
  const [first] = given;
  const isRequest =
    (typeof first === 'string' && URL.canParse(first)) || first instanceof URL || first instanceof Request;
  if (given.length < 2 && !isRequest) return;
  const message =
    'createFetch was called with a request: it makes a fetch and is none, so call it where the SDK takes one, as in new OpenAI({ fetch: createFetch() })';
  if (!hasWarned) process.emitWarning(message, { type: 'TurnwireWarning' });
  hasWarned = true;
  throw new TurnwireError('invalid_option', message);
}
