import type { Frame, Item } from '../../wire/wire.js';
import type { Submission } from './submission.js';

/** Why steering input cannot be used (P51). */
export type SteerErrorCode =
  | 'response_not_found'
  | 'invalid_input'
  | 'steering_not_supported'
  | 'too_many_pending_steers'
  | 'response_already_completed'
  | 'response_not_active'
  | 'successor_creation_failed';

/** The answer to a steer or an injection: makes the event once the lane that sends it has numbered it. */
export type SteerAnswer = (sequence: number) => Frame;

export function steerAccepted({ id, parent }: Submission): SteerAnswer {
  return answer('response.steer.accepted', { steer: { id, previous_response_id: parent } });
}

export function steerPending({ id, parent }: Submission, required: readonly Item[]): SteerAnswer {
  return answer('response.steer.pending', {
    steer: { id, previous_response_id: parent },
    reason: 'waiting_for_required_input',
    required_input: required,
  });
}

/** The event that gives steering input back to the client. Input without an `id` was never accepted. */
export function steerFailed(
  { id, parent, input }: Pick<Submission, 'parent' | 'input'> & { readonly id?: string },
  code: SteerErrorCode,
  message: string,
): SteerAnswer {
  return answer('response.steer.failed', {
    steer: { ...(id === undefined ? {} : { id }), previous_response_id: parent, input },
    error: { type: 'invalid_request_error', code, message },
  });
}

function answer(type: string, fields: object): SteerAnswer {
  return (sequence) => ({ type, text: JSON.stringify({ type, sequence_number: sequence, ...fields }) });
}
