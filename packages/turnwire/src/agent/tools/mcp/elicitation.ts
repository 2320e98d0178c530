import type { ToolsetOptions } from '../toolset.js';
import { type Fields, isFields } from './message.js';

/** The wrong answers to one question after which the question counts as not answered. */
const mostTries = 5;
/** The most fields of one form. */
const mostFields = 50;

/** The answer to a server that asked for the user's input. */
export type Elicited = { action: 'accept'; content: Fields } | { action: 'decline' } | { action: 'cancel' };

type AskUser = NonNullable<ToolsetOptions['askUser']>;

/**
 * Asks the user for the input that a server requests during a call: first whether they want to answer, then for each field. A value is checked against the
 * schema of its field, and asked for again where it does not fit.
 *
 * @throws Error for an unsupported form
 */
export async function elicit(server: string, params: Fields, askUser: AskUser, signal: AbortSignal): Promise<Elicited> {
  const { message, mode, requestedSchema } = params;
  if (mode !== undefined && mode !== null && mode !== 'form')
    throw new Error(`the mode ${JSON.stringify(mode)} is not supported`);
  const fields = fieldsOf(requestedSchema);
  const ask = (question: string): Promise<string | undefined> => askUser(question, { signal });
  const names = fields.map(({ title, required }) => `\n  ${title}${required ? '' : ' (optional)'}`).join('');
  const wanted = fields.length === 0 ? '' : `\nIt wants to know:${names}`;
  const begin = await answerTo(
    `The MCP server ${server} asks: ${typeof message === 'string' ? message : ''}${wanted}\nAnswer it? [y]es or [n]o`,
    ask,
    consent,
  );
  if (begin === undefined) return { action: 'cancel' };
  if (begin.value !== true) return { action: 'decline' };
  const content: Record<string, unknown> = {};
  for (const { name, title, hint, required, read, fallback } of fields) {
    const answer = await answerTo(`${title}${hint}`, ask, (line) => {
      if (line !== '') return read(line);
      if (fallback !== undefined) return { value: fallback };
      return required ? { wrong: 'it is needed' } : { value: undefined };
    });
    if (answer === undefined) return { action: 'cancel' };
    if (answer.value !== undefined) content[name] = answer.value;
  }
  return { action: 'accept', content };
}

/** The value that a line stands for, or the problem with it. */
type Reading = { value: unknown } | { wrong: string };

async function answerTo(
  question: string,
  ask: (question: string) => Promise<string | undefined>,
  read: (line: string) => Reading,
): Promise<{ value: unknown } | undefined> {
  let put = question;
  for (let tries = 0; tries < mostTries; tries += 1) {
    const line = await ask(put);
    if (line === undefined) return undefined;
    const reading = read(line.trim());
    if ('value' in reading) return reading;
    put = `That does not fit: ${reading.wrong}.\n${question}`;
  }
  return undefined;
}

function consent(line: string): Reading {
  const yes = yesOrNo(line);
  return yes === undefined ? { wrong: 'it is neither yes nor no' } : { value: yes };
}

function yesOrNo(line: string): boolean | undefined {
  const word = line.toLowerCase();
  if (['y', 'yes', 'true'].includes(word)) return true;
  return ['n', 'no', 'false'].includes(word) ? false : undefined;
}

interface Field {
  name: string;
  title: string;
  /** A hint at the values that may be typed. */
  hint: string;
  required: boolean;
  /** The value of an empty line. */
  fallback: unknown;
  read: (line: string) => Reading;
}

function fieldsOf(schema: unknown): Field[] {
  const { properties, required } = isFields(schema) ? schema : {};
  const needed: unknown[] = Array.isArray(required) ? required : [];
  const entries = Object.entries(isFields(properties) ? properties : {});
  if (entries.length > mostFields) throw new Error(`a form of more than ${mostFields} fields is not supported`);
  return entries.map(([name, property]) => fieldOf(name, isFields(property) ? property : {}, needed.includes(name)));
}

function fieldOf(name: string, property: Fields, required: boolean): Field {
  const { title, description, default: fallback, type } = property;
  const choices = choicesOf(type === 'array' && isFields(property['items']) ? property['items'] : property);
  const listed = choices.map(({ label }, index) => `\n  ${index + 1}. ${label}`).join('');
  const kind = type === 'array' ? ' (several: with commas between them)' : type === 'boolean' ? ' ([y]es or [n]o)' : '';
  const empty = fallback === undefined ? '' : ` (nothing: ${JSON.stringify(fallback)})`;
  const about = typeof description === 'string' && description !== '' ? `: ${description}` : '';
  return {
    name,
    title: typeof title === 'string' && title !== '' ? title : name,
    hint: `${about}${kind}${empty}${listed}`,
    required,
    fallback,
    read: type === 'array' ? (line) => several(line, choices, property) : (line) => single(line, choices, property),
  };
}

interface Choice {
  value: string;
  label: string;
}

/** The values to choose from, in the notations of all versions of the protocol. */
function choicesOf({ enum: values, enumNames: labels, oneOf, anyOf }: Fields): Choice[] {
  if (Array.isArray(values))
    return values.map((value, index) => {
      const label: unknown = Array.isArray(labels) ? labels[index] : undefined;
      return { value: String(value), label: typeof label === 'string' ? label : String(value) };
    });
  const options: unknown[] = Array.isArray(oneOf) ? oneOf : Array.isArray(anyOf) ? anyOf : [];
  return options.flatMap((option) =>
    isFields(option) && typeof option['const'] === 'string'
      ? [{ value: option['const'], label: typeof option['title'] === 'string' ? option['title'] : option['const'] }]
      : [],
  );
}

function single(line: string, choices: readonly Choice[], property: Fields): Reading {
  if (choices.length > 0) return chosen(line, choices);
  switch (property['type']) {
    case 'boolean':
      return consent(line);
    case 'integer':
    case 'number':
      return numeric(line, property);
    default:
      return textual(line, property);
  }
}

function chosen(line: string, choices: readonly Choice[]): Reading {
  const found = choices.find(({ value, label }) => line === value || line === label) ?? choices[Number(line) - 1];
  return found === undefined ? { wrong: 'choose one of those listed, by its number' } : { value: found.value };
}

function several(line: string, choices: readonly Choice[], { minItems, maxItems }: Fields): Reading {
  const words = line.split(',').map((word) => word.trim());
  const read = words
    .filter((word) => word !== '')
    .map((word) => (choices.length > 0 ? chosen(word, choices) : { value: word }));
  const wrong = read.find((each) => 'wrong' in each);
  if (wrong !== undefined) return wrong;
  if (typeof minItems === 'number' && read.length < minItems) return { wrong: `at least ${minItems} are needed` };
  if (typeof maxItems === 'number' && read.length > maxItems) return { wrong: `at most ${maxItems} are taken` };
  return { value: read.map((each) => ('value' in each ? each.value : undefined)) };
}

function numeric(line: string, { type, minimum, maximum }: Fields): Reading {
  const value = Number(line);
  if (!/^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(line) || (type === 'integer' && !Number.isInteger(value)))
    return { wrong: type === 'integer' ? 'it is no whole number' : 'it is no number' };
  if (typeof minimum === 'number' && value < minimum) return { wrong: `it is less than ${minimum}` };
  if (typeof maximum === 'number' && value > maximum) return { wrong: `it is more than ${maximum}` };
  return { value };
}

const formats: Readonly<Record<string, (line: string) => boolean>> = {
  email: (line) => /^[^\s@]+@[^\s@]+$/.test(line),
  uri: (line) => URL.canParse(line),
  date: (line) => /^\d{4}-\d{2}-\d{2}$/.test(line) && !Number.isNaN(Date.parse(line)),
  'date-time': (line) => /^\d{4}-\d{2}-\d{2}T/.test(line) && !Number.isNaN(Date.parse(line)),
};

function textual(line: string, { minLength, maxLength, format }: Fields): Reading {
  if (typeof minLength === 'number' && line.length < minLength)
    return { wrong: `at least ${minLength} characters are needed` };
  if (typeof maxLength === 'number' && line.length > maxLength)
    return { wrong: `at most ${maxLength} characters are taken` };
  const fits = typeof format === 'string' && Object.hasOwn(formats, format) ? formats[format] : undefined;
  return fits?.(line) === false ? { wrong: `it must be a ${String(format)}` } : { value: line };
}
