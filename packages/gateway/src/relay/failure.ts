import { Refusal, answerOf } from '../base/refusal.js';
import type { RelayRefusal } from '@turnwire/client/relay';
import type { WholeAnswer } from '../base/refusal.js';

/** A status after which no SDK calls a second time. */
const finalStatus = 400;

/** The HTTP answer for a turn that did not begin. */
export function refusalAnswer(refusal: RelayRefusal): WholeAnswer {
  switch (refusal.name) {
    case 'refused':
      return refusal;
    case 'unknown':
      return {
        status: finalStatus,
        headers: { 'content-type': 'application/json', 'x-should-retry': 'false' },
        body: refusal.body,
      };
    default:
      return answerOf(unreached(refusal));
  }
}

/** The answer for a turn that certainly did not run: the client may ask again. */
function unreached({ error }: Extract<RelayRefusal, { name: 'not_sent' }>): Refusal {
  // The gateway has no key of its own for the upstream.
  if (error.cause instanceof Refusal) return error.cause;
  if (error.code === 'client_closed')
    return new Refusal('this gateway is shutting down', {
      status: 503,
      code: 'shutting_down',
      headers: { 'retry-after': '1' },
    });
  if (error.code === 'queue_timeout' || error.code === 'dial_timeout')
    return new Refusal(error.message, { status: 504, code: 'upstream_timeout' });
  if (error.code === 'aborted') return new Refusal('the turn was ended', { status: 499, code: 'aborted' });
  return new Refusal(`the upstream could not be reached: ${error.message}`, {
    status: 502,
    code: 'upstream_unreachable',
  });
}
