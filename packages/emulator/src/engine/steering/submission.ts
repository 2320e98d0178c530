import { z } from 'zod';
import { isItem, type Item } from '../../wire/wire.js';

/** Accepted steering input. The server keeps it until a successor takes it or `response.steer.failed` returns it. */
export interface Submission {
  readonly id: string;
  readonly parent: string;
  /** The input as the client sent it, to be returned unchanged. */
  readonly input: unknown;
  readonly items: readonly Item[];
  readonly bytes: number;
}

const part = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('input_text'), text: z.string() }),
  z.looseObject({ type: z.literal('input_image') }),
  z.looseObject({ type: z.literal('input_file') }),
]);

/** A steer has exactly these fields, and its input only messages of the user (P47). */
const steerSchema = z.strictObject({
  type: z.literal('response.steer'),
  previous_response_id: z.string().min(1),
  input: z.union([
    z.string(),
    z
      .array(
        z.strictObject({
          type: z.literal('message').optional(),
          role: z.literal('user'),
          content: z.union([z.string(), z.array(part).min(1)]),
        }),
      )
      .min(1),
  ]),
});

/** A received `response.steer`: its target and its input as far as they can be read, and what is wrong with it. */
export interface ParsedSteer {
  readonly parent: string;
  readonly input: unknown;
  readonly items: readonly Item[];
  readonly problem?: string;
}

export function parseSteer(body: Record<string, unknown>): ParsedSteer {
  const { previous_response_id: id, input } = body;
  const parent = typeof id === 'string' ? id : '';
  const checked = steerSchema.safeParse(body);
  if (!checked.success) return { parent, input: input ?? [], items: [], problem: problemOf(checked.error.issues[0]) };
  if (Array.isArray(input)) return { parent, input, items: input.filter(isItem) };
  const content = [{ type: 'input_text', text: input }];
  return { parent, input, items: [{ type: 'message', role: 'user', content }] };
}

function problemOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'unrecognized_keys' && issue.path.length === 0) {
    return `Unknown parameter: '${String(issue.keys[0])}'; response.steer takes type, previous_response_id and input.`;
  }
  if (issue?.path[0] === 'previous_response_id')
    return "'previous_response_id' must be the id of the response to steer.";
  return "'input' must be a text, or a non-empty array of user messages whose content is text, images or files.";
}
