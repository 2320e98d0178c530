import { isRecord } from '../wire/wire.js';

/** The names that a template can use: the outputs of earlier calls, `input`, `turn` and `model`. */
export interface Scope {
  /** The value of a name; undefined if there is none. */
  get(name: string): unknown;
  /** All names, for the error that lists them. */
  names(): Iterable<string>;
}

/** A template has no value. The message names the part that has none, and the names that exist. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

const templatePattern = /\{\{\s*(.*?)\s*\}\}/gs;
const wholeTemplatePattern = /^\{\{\s*([^{}]*?)\s*\}\}$/;

/**
 * Fills in the templates of a text: `{{ path }}`, a dotted path whose first word is
 *
 * - the `as` of an earlier call, or the name of the tool called (the latest such call): the text of its output,
 * - `input` (the last user message), `turn` (the number of this turn, from 1) or `model`.
 *
 * A text in quotes stands for itself: `{{ "{{" }}` writes two braces.
 *
 * A text has `.lines` (trimmed, without empty lines), `.words`, `.length`, `.trim` and `.json` (parsed). A list has `.length` and is indexed by
 * numbers, from the end if negative. An object has its own keys. A value that is not a text is written as JSON.
 *
 * @throws TemplateError for a path without a value
 */
export function renderText(text: string, scope: Scope): string {
  if (!text.includes('{{')) return text;
  return text.replace(templatePattern, (_, path: string) => {
    const value = resolve(path, scope);
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}

/** Why the templates of a text can never be filled in, whatever the conversation: one is not closed, or names nothing; undefined if they can. */
export function templateProblem(text: string): string | undefined {
  for (const [template, path = ''] of text.matchAll(templatePattern)) {
    if (/^".*"$/s.test(path) || /^[^\s."{}]+(\.|$)/.test(path)) continue;
    const shown = JSON.stringify(template.slice(0, 60));
    return `the template ${shown} names nothing; it is one name, with steps after dots, or a text in double quotes`;
  }
  const rest = text.replace(templatePattern, '');
  const open = rest.indexOf('{{');
  if (open === -1) return undefined;
  return `the template ${JSON.stringify(rest.slice(open, open + 30))} is not closed; end it with }}`;
}

/** Fills in the templates of every text within a value. A text that is one template becomes the value itself, with its type. */
export function renderValue(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string') {
    const whole = wholeTemplatePattern.exec(value);
    return whole === null ? renderText(value, scope) : resolve(whole[1] ?? '', scope);
  }
  if (Array.isArray(value)) return value.map((each) => renderValue(each, scope));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renderValue(each, scope)]));
}

function resolve(path: string, scope: Scope): unknown {
  const quoted = /^"(.*)"$/s.exec(path)?.[1];
  if (quoted !== undefined) return quoted;
  const [first = '', ...rest] = path.split('.');
  let value = scope.get(first);
  if (value === undefined) {
    throw new TemplateError(
      `{{ ${path} }} starts with "${first}", which is not known here; known are ${[...scope.names()].join(', ')}`,
    );
  }
  let walked = first;
  for (const step of rest) {
    const next = stepInto(value, step);
    if (next === undefined) throw new TemplateError(`{{ ${path} }} leads nowhere: ${walked} has no "${step}"`);
    value = next;
    walked += `.${step}`;
  }
  return value;
}

function stepInto(value: unknown, step: string): unknown {
  if (typeof value === 'string') return textSteps.get(step)?.(value);
  if (Array.isArray(value)) {
    if (step === 'length') return value.length;
    return /^-?\d+$/.test(step) ? value.at(Number(step)) : undefined;
  }
  // Only own keys are looked up, so that a script cannot reach inherited properties.
  return isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}

const textSteps: ReadonlyMap<string, (text: string) => unknown> = new Map<string, (text: string) => unknown>([
  [
    'lines',
    (text) =>
      text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== ''),
  ],
  ['words', (text) => text.split(/\s+/).filter((word) => word !== '')],
  ['length', (text) => text.length],
  ['trim', (text) => text.trim()],
  ['json', parseJson],
]);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TemplateError('.json was asked of a text that is not JSON');
  }
}
