import { z } from 'zod';
import { annotationSchema, toolSchema } from '../tool-schema.js';
import { faultRules } from '../../faults/rule.js';
import { compilePattern } from '../../base/pattern.js';
import { templateProblem } from '../template.js';
import { messageOf } from '../../base/thrown.js';

const milliseconds = z.number().min(0).max(3_600_000);

const pace = z.strictObject({
  first_token_ms: milliseconds.optional(),
  tokens_per_second: z.number().positive().optional(),
  ms_per_1000_uncached_tokens: milliseconds.optional(),
  jitter: z.number().min(0).max(1).optional(),
});

const call = z
  .strictObject({
    name: z.string().min(1),
    as: z
      .string()
      .regex(/^[\w-]+$/, 'must be letters, digits, "_" or "-", so that a template can name it')
      .optional()
      .describe('a name under which later templates find the output of this call'),
    arguments: z
      .union([z.record(z.string(), z.unknown()), z.string()])
      .optional()
      .describe('of a function: an object, or the text the model writes, valid JSON or not; default: {}'),
    input: z.string().optional().describe('of a custom tool: free text, in place of arguments'),
  })
  .check(({ value, issues }) => {
    if (value.arguments === undefined || value.input === undefined) return;
    const message = 'a function takes arguments, a custom tool takes input; a call cannot have both';
    issues.push({ code: 'custom', message, input: value });
  });

const reasoning = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)], 'must be a text, or a list of texts')
  .describe('a summary, or its parts');

const message = {
  text: z.string().min(1).optional(),
  refusal: z.string().min(1).optional(),
  annotations: z.array(annotationSchema).min(1).optional().describe('sources that the text quotes'),
  phase: z.enum(['commentary', 'final_answer']).optional().describe('what the message is for'),
};

const outputElement = z
  .strictObject({
    reasoning: reasoning.optional(),
    reasoning_text: z.string().min(1).optional().describe('the reasoning itself, where a model shows it'),
    ...message,
    call: call.optional(),
    tool: toolSchema.optional().describe('the call of a hosted tool, a shell, a patch or a computer; or a compaction'),
  })
  .check(({ value, issues }) => {
    const kinds = [value.reasoning ?? value.reasoning_text, value.text ?? value.refusal, value.call, value.tool];
    const count = kinds.filter((kind) => kind !== undefined).length;
    const problem =
      count !== 1
        ? 'must be one item: reasoning, text (or refusal), call or tool'
        : value.text === undefined && value.annotations !== undefined
          ? 'annotations belong to a text'
          : undefined;
    if (problem !== undefined) issues.push({ code: 'custom', message: problem, input: value });
  });

const error = z.strictObject({
  status: z.int().min(400).max(599),
  code: z.string().optional(),
  type: z.string().optional(),
  message: z.string().optional(),
  param: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  times: z.int().positive().optional(),
});

const fail = z.strictObject({
  code: z.string().min(1),
  message: z.string().min(1),
  times: z.int().positive().optional(),
});

const entry = z
  .strictObject({
    reasoning: reasoning.optional(),
    ...message,
    calls: z.array(call).min(1).optional(),
    output: z.array(outputElement).min(1).optional().describe('items in any order, in place of the fields above'),
    incomplete: z.enum(['max_output_tokens', 'max_messages', 'content_filter']).optional(),
    fail: fail.optional(),
    error: error.optional(),
    pace: pace.optional(),
  })
  .check(({ value, issues }) => {
    const short = [value.reasoning, value.text, value.refusal, value.calls, value.annotations, value.phase];
    const shortForm = short.some((part) => part !== undefined);
    const hasContent = shortForm || value.output !== undefined;
    const endings = [value.incomplete, value.fail, value.error].filter((part) => part !== undefined).length;
    const problem =
      endings > 1
        ? 'only one of incomplete, fail and error can end a turn'
        : value.error !== undefined && hasContent
          ? 'an error answers instead of a turn, so nothing can be said beside it; use fail to break off after the text'
          : shortForm && value.output !== undefined
            ? 'is written either with output, or with reasoning, text, refusal and calls; not both'
            : value.annotations !== undefined && value.text === undefined
              ? 'annotations belong to a text'
              : !hasContent && value.error === undefined && value.fail === undefined
                ? 'says nothing; give it text, reasoning, refusal, calls, error or fail'
                : undefined;
    if (problem !== undefined) issues.push({ code: 'custom', message: problem, input: value });
  });

const pattern = z
  .string()
  .min(1)
  .check(({ value, issues }) => {
    try {
      compilePattern(value);
    } catch (error) {
      const message = `this is not a regular expression (${messageOf(error)})`;
      issues.push({ code: 'custom', message, input: value });
    }
  });

const rule = z.strictObject({
  match: z.strictObject({
    model: pattern.optional(),
    input: pattern.optional(),
    turn: z.int().positive().optional(),
  }),
  reply: entry,
});

/** The schema of `Script`. */
export const scriptSchema = z
  .strictObject({
    pace: pace.optional(),
    rules: z.array(rule).optional(),
    turns: z.array(entry).optional(),
    after: z.enum(['error', 'repeat', 'echo']).default('error'),
    faults: faultRules.optional().describe('what is broken on purpose, and when'),
  })
  .check(({ value, issues }) => {
    if (value.turns?.length || value.rules?.length || value.faults !== undefined) return;
    issues.push({
      code: 'custom',
      message: 'the script answers nothing; give it turns or rules (or faults)',
      input: value,
    });
  })
  .check(({ value, issues }) => {
    for (const { text, path } of textsIn({ rules: value.rules, turns: value.turns })) {
      const problem = isRendered(path) ? templateProblem(text) : undefined;
      if (problem !== undefined) issues.push({ code: 'custom', message: problem, input: text, path });
    }
  });

/** True for the place of a text whose templates are filled in: any in an entry, but not in what a rule matches and in an error. */
function isRendered([list, , field, inner]: readonly PropertyKey[]): boolean {
  return list === 'rules' ? field === 'reply' && inner !== 'error' : field !== 'error';
}

/** A text within a value, and its path. */
interface PlacedText {
  text: string;
  path: PropertyKey[];
}

/** Every text within a value, with its path. */
function* textsIn(value: unknown, path: PropertyKey[] = []): Generator<PlacedText> {
  if (typeof value === 'string') yield { text: value, path };
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      yield* textsIn(inner, [...path, Array.isArray(value) ? Number(key) : key]);
    }
  }
}

/** A checked script, with its defaults. */
export type CheckedScript = z.output<typeof scriptSchema>;
export type Entry = z.output<typeof entry>;
export type Pace = z.output<typeof pace>;
export type ScriptedCall = z.output<typeof call>;
