import { z } from 'zod';

/** The types of values in an agent file. Each message completes the sentence `"key" must be …`. */

export const text = z.string('text');

const named = 'a name (text)';
export const name = z.string(named).min(1, named);

export const flag = z.boolean('true or false');

export const texts = z.array(text.min(1, 'text, and not empty'), 'a list of texts');

/**
 * A list of what alone is allowed. An empty one is refused: docker-agent takes it for no limit, and a reader for nothing at all.
 *
 * @param readings both meanings, and what to write for each
 */
export function only(readings: string): typeof texts {
  return texts.min(1, `a list with an entry: ${readings}`);
}

/** A text, or a list of texts that are joined by empty lines. */
export const paragraphs = z
  .union([text, z.array(text, 'text, or a list of texts')], 'text, or a list of texts')
  .transform((value) => (typeof value === 'string' ? value : value.map((each) => each.trimEnd()).join('\n\n')));

/** A whole number, `least` or more. */
export function whole(least: number, what: string): z.ZodInt {
  const expected = `a whole number${what === '' ? '' : ` ${what}`}, ${least} or more`;
  return z.int(expected).min(least, expected);
}

export function between(least: number, most: number): z.ZodNumber {
  const expected = `a number from ${least} to ${most}`;
  return z.number(expected).min(least, expected).max(most, expected);
}

const part = 'a number above 0, and at most 1';

/** A part of the context window, as a number up to 1. */
export const threshold = z.number(part).gt(0, part).max(1, part);

const longest = 24 * 60 * 60 * 1000;
const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const spelled = 'a duration of at most 24h, such as 30s or 2m30s';

/** A duration in Go's spelling; the result is in milliseconds. */
export const duration = z
  .string(spelled)
  .regex(/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/, spelled)
  .refine((value) => milliseconds(value) <= longest, spelled);

export function milliseconds(value: string): number {
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  return parts.reduce((sum, [, count = '', unit = '']) => sum + Number(count) * (units[unit] ?? 0), 0);
}

const address =
  'an http:// or https:// address without user name, query or fragment, such as https://api.example.com/v1 (provider_opts.transport chooses WebSocket or SSE)';

export const baseUrl = z.string(address).refine(isBaseUrl, address);

const variables = 'the name of an environment variable, such as MY_API_KEY, and never the key itself';

export const variable = z.string(variables).refine(isVariable, variables);

const header = 'text in one line, without control characters';
const fieldName = 'a name of letters, digits and -';

/** Headers. Characters that would end the line and begin another header are refused, not removed. */
export const headers = z.record(
  z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, fieldName),
  z.string(header).regex(/^[\t\x20-\x7e\x80-\xff]*$/, header),
  'a mapping from names of headers to their values, in names of letters, digits and -',
);

/** Variables for a command. Values may name secrets, as `${env.NAME}`. */
export const environment = z.record(
  z.string().refine(isVariableName),
  z.string('text').regex(/^[^\0]*$/, 'text without a zero byte'),
  'a mapping from names of variables to texts',
);

/** Variables for an MCP server. A server of Docker's catalog has secrets with other names, such as `brave.api_key`. */
export const serverEnvironment = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/),
  z.string('text').regex(/^[^\0]*$/, 'text without a zero byte'),
  'a mapping from names of variables to texts',
);

export function isVariableName(key: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key);
}

function isBaseUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return (protocol === 'https:' || protocol === 'http:') && username + password + search + hash === '';
}

/** True for the name of a variable. A text that is probably the key itself is refused, so that no later sentence about a missing variable prints the key. */
function isVariable(value: string): boolean {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(value)) return false;
  const mixed = /[a-z]/.test(value) && /[A-Z]/.test(value) && /\d/.test(value);
  return value.length < 20 || (value.includes('_') && !mixed);
}
