import { z } from 'zod';
import { repeatedKey } from '../base/json-text.js';

/** What a hook has printed, read in docker-agent's protocol. */
export type HookAnswer =
  | { kind: 'nothing' }
  /** No JSON: context for the model at some points. */
  | { kind: 'text'; text: string }
  | { kind: 'fields'; fields: HookFields; unserved: readonly string[] }
  | { kind: 'unreadable'; why: string };

/** The fields that are served; those that say nothing are absent. */
export interface HookFields {
  /** Why the hook says no; empty where it gives no reason. */
  blocked: string | undefined;
  /** Why the user has to be asked; empty where it gives no reason. */
  ask: string | undefined;
  /** Whether it allows a call in so many words. */
  allowed: boolean;
  /** Whether it says in so many words that it goes on. */
  approved: boolean;
  /** Told to the user. */
  systemMessage: string | undefined;
  /** Told to the model. */
  context: string | undefined;
  /** Arguments that take the place of those of the call. */
  updatedInput: Readonly<Record<string, unknown>> | undefined;
  /** A text that takes the place of what the tool returned; an empty one takes it away. */
  updatedToolResponse: string | undefined;
  /** A summary of the conversation. */
  summary: string | undefined;
}

/** What says nothing. */
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

// docker-agent writes its own fields as Go does, where null is the same as nothing.
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
  // What a hook prints is shown nowhere, whether it asks for that or not.
  suppress_output: said(z.boolean('true or false')),
  decision: said(z.enum(['', 'block'], 'block, or left out')),
  reason: text,
  hook_specific_output: said(specific),
});

export interface HookOutput {
  text: string;
  /** Whether nothing of it was left out. */
  whole: boolean;
  /** Whether a text that is no JSON object is no answer. @default false */
  strict?: boolean | undefined;
}

/** Reads what a hook printed before it ended with status 0. */
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
  return { kind: 'fields', fields: fieldsOf(data), unserved: unservedIn(json as Record<string, unknown>) };
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

/** Why it is asked, with what the hook has noted about the call. */
function questionOf({ permission_decision_reason: reason = '', metadata = {} }: z.output<typeof specific>): string {
  const notes = Object.entries(metadata).map(([name, value]) => `${name}: ${value}`);
  return [reason, ...(notes.length === 0 ? [] : [`(${notes.join(', ')})`])].filter((part) => part !== '').join(' ');
}

/** The fields that are not served, and say something. */
function unservedIn(json: Readonly<Record<string, unknown>>): string[] {
  const own = json['hook_specific_output'] as Readonly<Record<string, unknown>> | null | undefined;
  return [
    ...strangers(json, answer.shape),
    ...strangers(own ?? {}, specific.shape).map((key) => `hook_specific_output.${key}`),
  ];
}

function strangers(written: Readonly<Record<string, unknown>>, served: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(written).flatMap(([key, value]) => (value === null || Object.hasOwn(served, key) ? [] : [key]));
}
