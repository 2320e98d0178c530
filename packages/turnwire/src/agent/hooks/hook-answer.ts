import { z } from 'zod';
import { repeatedKey } from '../base/json-text.js';

/** The output of a hook, read by docker-agent's protocol. */
export type HookAnswer =
  | { kind: 'nothing' }
  /** A text that is no JSON: context for the model at some points. */
  | { kind: 'text'; text: string }
  | { kind: 'fields'; fields: HookFields; unsupported: readonly string[] }
  | { kind: 'unreadable'; why: string };

/** The supported fields of a hook's output; a field without a meaning is absent. */
export interface HookFields {
  /** The reason why the hook refuses; empty where it gives none. */
  blocked: string | undefined;
  /** The reason why the hook wants the user to be asked; empty where it gives none. */
  ask: string | undefined;
  /** True where the hook explicitly allows a call. */
  allowed: boolean;
  /** True where the hook explicitly lets the run go on. */
  approved: boolean;
  /** A text for the user. */
  systemMessage: string | undefined;
  /** A text for the model. */
  context: string | undefined;
  /** Arguments that replace those of the call. */
  updatedInput: Readonly<Record<string, unknown>> | undefined;
  /** A text that replaces the output of the tool; an empty one removes it. */
  updatedToolResponse: string | undefined;
  /** A summary of the conversation. */
  summary: string | undefined;
}

/** The fields of an output without a meaning. */
export const noFields: HookFields = {
  blocked: undefined,
  ask: undefined,
  allowed: false,
  approved: false,
  systemMessage: undefined,
  context: undefined,
  updatedInput: undefined,
  updatedToolResponse: undefined,
  summary: undefined,
};

// docker-agent's own hooks are written in Go, where null means the same as a missing field.
const said = <Inner extends z.ZodType>(inner: Inner) => inner.nullish().transform((value) => value ?? undefined);
const text = said(z.string('text'));

const specific = z.looseObject(
  {
    hook_event_name: text,
    permission_decision: said(z.enum(['', 'allow', 'deny', 'ask'], 'allow, deny or ask')),
    permission_decision_reason: text,
    updated_input: said(z.record(z.string(), z.unknown(), 'a mapping')),
    updated_tool_response: text,
    summary: text,
    additional_context: text,
    metadata: said(z.record(z.string(), z.string('text'), 'a mapping from names to texts')),
  },
  'a mapping',
);

const answer = z.looseObject({
  continue: said(z.boolean('true or false')),
  stop_reason: text,
  system_message: text,
  // The output of a hook is never shown, so this field has no effect.
  suppress_output: said(z.boolean('true or false')),
  // "allow" spares no question: only a permission_decision of permission_request does.
  decision: said(z.enum(['', 'allow', 'block'], 'block, allow, or left out')),
  reason: text,
  hook_specific_output: said(specific),
});

export interface HookOutput {
  text: string;
  /** True where the output is complete. */
  whole: boolean;
  /** True where a text that is no JSON object is a failure. @default false */
  strict?: boolean | undefined;
}

/** Reads the output of a hook that ended with status 0. */
export function readHookAnswer({ text: output, whole, strict = false }: HookOutput): HookAnswer {
  const trimmed = output.replace(/^\uFEFF/, '').trim();
  if (!whole) return { kind: 'unreadable', why: 'it printed more than 256 KiB' };
  if (trimmed === '') return { kind: 'nothing' };
  if (strict && !trimmed.startsWith('{'))
    return { kind: 'unreadable', why: 'its "strict_output" wants one JSON object, or nothing' };
  let json: unknown;
  try {
    json = JSON.parse(trimmed);
  } catch {
    return trimmed.startsWith('{')
      ? { kind: 'unreadable', why: 'what it printed begins as JSON, and is not one JSON object' }
      : { kind: 'text', text: trimmed };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { kind: 'text', text: trimmed };
  const twice = repeatedKey(trimmed);
  if (twice !== undefined)
    return { kind: 'unreadable', why: `it answered with ${JSON.stringify(twice)} more than once` };
  const { data, error } = answer.safeParse(json);
  if (error !== undefined) {
    const [issue] = error.issues;
    return { kind: 'unreadable', why: `"${issue?.path.map(String).join('.')}" must be ${issue?.message}` };
  }
  return { kind: 'fields', fields: fieldsOf(data), unsupported: unsupportedIn(json as Record<string, unknown>) };
}

function fieldsOf(data: z.output<typeof answer>): HookFields {
  const own = data.hook_specific_output;
  const noes = [
    ...(data.continue === false ? [data.stop_reason] : []),
    ...(data.decision === 'block' ? [data.reason] : []),
    ...(own?.permission_decision === 'deny' ? [own.permission_decision_reason] : []),
  ];
  return {
    blocked: noes.length === 0 ? undefined : noes.filter((reason) => reason !== undefined && reason !== '').join('; '),
    ask: own?.permission_decision === 'ask' ? questionOf(own) : undefined,
    allowed: own?.permission_decision === 'allow',
    approved: data.continue === true,
    systemMessage: data.system_message || undefined,
    context: own?.additional_context || undefined,
    updatedInput: own?.updated_input,
    updatedToolResponse: own?.updated_tool_response,
    summary: own?.summary?.trim() || undefined,
  };
}

/** The reason for asking the user, with the notes of the hook about the call. */
function questionOf({ permission_decision_reason: reason = '', metadata = {} }: z.output<typeof specific>): string {
  const notes = Object.entries(metadata).map(([name, value]) => `${name}: ${value}`);
  return [reason, ...(notes.length === 0 ? [] : [`(${notes.join(', ')})`])].filter((part) => part !== '').join(' ');
}

/** The fields that have a meaning and are not supported. */
function unsupportedIn(json: Readonly<Record<string, unknown>>): string[] {
  const own = json['hook_specific_output'] as Readonly<Record<string, unknown>> | null | undefined;
  return [
    ...unknownKeys(json, answer.shape),
    ...unknownKeys(own ?? {}, specific.shape).map((key) => `hook_specific_output.${key}`),
  ];
}

function unknownKeys(written: Readonly<Record<string, unknown>>, served: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(written).flatMap(([key, value]) => (value === null || Object.hasOwn(served, key) ? [] : [key]));
}
