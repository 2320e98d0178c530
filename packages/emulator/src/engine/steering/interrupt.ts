import { z } from 'zod';
import { Refusal } from '../../wire/refusal.js';
import type { InjectionTarget } from './injection.js';

const schema = z.looseObject({
  type: z.literal('response.interrupt'),
  response_id: z.string().min(1),
  mode: z.literal('discard_partial_items').nullish(),
});

/**
 * Interrupts a running response (P127; observed of one client, in no public schema). The response ends with `response.incomplete`, reason
 * `interrupted`, without the items that were not finished. The interrupt of any other response is ignored, because the interrupt and the
 * terminal event may cross on the way.
 *
 * @throws Refusal for an event whose fields are not valid
 */
export function interrupt(body: Record<string, unknown>, find: (id: string) => InjectionTarget): void {
  const checked = schema.safeParse(body);
  if (!checked.success) {
    const message = "'response.interrupt' takes 'response_id' and 'mode', which can be 'discard_partial_items'.";
    const param = String(checked.error.issues[0]?.path[0] ?? 'response_id');
    throw new Refusal(message, { code: 'invalid_value', param });
  }
  find(checked.data.response_id).lane?.target?.interrupt();
}
