import { z } from 'zod';
import { answeredKey } from '../../wire/client-calls.js';
import type { Lane } from '../lanes/lane.js';
import { Refusal } from '../../wire/refusal.js';
import { isItem, type Frame, type Item } from '../../wire/wire.js';

const schema = z.strictObject({
  type: z.literal('response.inject'),
  response_id: z.string().min(1),
  input: z.array(z.custom<Item>((item) => isItem(item) && answeredKey(item) !== undefined)).min(1),
});

/** The lane of a response, undefined if this connection never had it, and whether the response has ended. */
export interface InjectionTarget {
  readonly lane: Lane | undefined;
  readonly isOver: boolean;
}

/**
 * Injects outputs of the client's tools into a running response that has called these tools (P53): all of them, or none. A turn that
 * continues the response finds them after the response's output. Not imitated: a model that goes on with them in the same response.
 *
 * @returns the answer, and the lane that sends it
 * @throws Refusal for an event whose fields are not valid
 */
export function inject(body: Record<string, unknown>, find: (id: string) => InjectionTarget): InjectionAnswer {
  const checked = schema.safeParse(body);
  if (!checked.success) {
    const message =
      "'response.inject' takes 'response_id' and 'input', a non-empty array of outputs of the client's tools.";
    throw new Refusal(message, { code: 'invalid_value', param: String(checked.error.issues[0]?.path[0] ?? 'input') });
  }
  const { response_id, input } = checked.data;
  const { lane, isOver } = find(response_id);
  const failed = (code: 'response_already_completed' | 'response_not_found', message: string): InjectionAnswer => ({
    lane,
    answer: event('response.inject.failed', { response_id, input, error: { code, message } }),
  });
  if (isOver) return failed('response_already_completed', `The response '${response_id}' has ended.`);
  const target = lane?.target;
  if (target === undefined) return failed('response_not_found', `This connection has no response '${response_id}'.`);
  if (!target.inject(input))
    return failed('response_not_found', 'The response waits for none, or not all, of these outputs.');
  return { lane, answer: event('response.inject.created', { response_id }) };
}

export interface InjectionAnswer {
  readonly lane: Lane | undefined;
  /** Makes the event, once its lane has numbered it. */
  readonly answer: (sequence: number) => Frame;
}

function event(type: string, fields: object): (sequence: number) => Frame {
  return (sequence) => ({ type, text: JSON.stringify({ type, sequence_number: sequence, ...fields }) });
}
