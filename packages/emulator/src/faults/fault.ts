import { z } from 'zod';
import { wordsOf } from '../base/option-problem.js';
import { advice } from '../base/spelling.js';
import { isRecord } from '../wire/wire.js';
import { errorShapes } from './error-shape.js';
import { messageOf } from '../base/thrown.js';

const milliseconds = z.number().min(0).max(3_600_000);

/** When a fault strikes, as `FaultMoment` describes it. */
const after = z.union([z.int().min(0), z.enum(['request', 'open', 'terminal'])]);
const afterEvent = z.union([z.int().min(0), z.literal('terminal')]);

/** Which event a fault edits: its number in the turn, from 1 (`response.created`), its type, or `terminal` for the last one. */
const event = z.union([z.int().positive(), z.string().min(1)]);

/** The status of an answer. A status below 200 ends no request, and 101 would open a socket. */
const status = z.int().min(200).max(599);

/** A code that a close frame can carry (RFC 6455 §7.4.1). 1005, 1006 and 1015 are reserved for a close without a frame. */
const closeCode = z
  .int()
  .refine(
    (code) => (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code < 5000),
    {
      message:
        'must be a code that a close frame can carry (1000-1014 or 3000-4999); for a close without a frame use "end"',
    },
  );

function kind<Name extends string, Shape extends z.core.$ZodLooseShape>(fault: Name, shape: Shape) {
  return z.strictObject({ fault: z.literal(fault), ...shape });
}

const schema = z.discriminatedUnion('fault', [
  kind('refuse', {
    status: status.default(503),
    headers: z.record(z.string(), z.string()).default({}),
    body: z.string().optional(),
  }),
  kind('connect-rate', { per_second: z.int().positive(), status: status.default(403) }),
  kind('stall', { after: after.default(0), ms: milliseconds.optional() }),
  kind('close', { after: after.default(0), code: closeCode.default(1011), reason: z.string().max(123).default('') }),
  kind('end', { after: after.default(0) }),
  kind('reset', { after: after.default(0) }),
  kind('cut', {
    after: z.int().min(0).default(0),
    bytes: z.int().positive().optional(),
    reset: z.boolean().default(false),
  }),
  kind('black-hole', { after: after.default(0) }),
  kind('throttle', { after: after.default(0), bytes_per_second: z.number().positive() }),
  kind('no-pong', { after: after.default('open') }),
  kind('error', {
    after: z.int().min(0).default(0),
    shape: z.enum(errorShapes).default('nested'),
    status: status.default(500),
    type: z.string().optional(),
    code: z.string().default('server_error'),
    message: z.string().default('A fault was asked for.'),
    param: z.string().optional(),
    headers: z.record(z.string(), z.string()).default({}),
  }),
  kind('connection-limit', { after: afterEvent.default(0), code: closeCode.default(1000) }),
  kind('forget', {}),
  kind('drop', { event: event.default('terminal') }),
  kind('empty-output', {}),
  kind('repeat', { event: event.default('terminal'), times: z.int().positive().max(1000).default(1) }),
  kind('reorder', { event: z.int().positive() }),
  kind('wrong-id', { after: z.int().min(0).default(0) }),
  kind('stray', { after: z.int().min(0).default(0) }),
]);

/** A fault with all its parameters, defaults included. */
export type Fault = Readonly<z.output<typeof schema>>;
export type FaultName = Fault['fault'];

/**
 * A sentence about the effect of each fault. The parameters are in the schema above; `docs/emulator-faults.md` shows each fault with the
 * command that asks for it.
 */
export const faultTexts: Readonly<Record<FaultName, string>> = {
  refuse: 'answers the upgrade or the POST with `status`, `headers` and `body` (default: a JSON error) and closes',
  'connect-rate': 'refuses upgrades with `status` above `per_second` of them in one second',
  stall: 'sends nothing for `ms` milliseconds (default: until the client leaves), then goes on',
  close: 'closes the socket with `code` and `reason`; over HTTP the body ends early, but well-formed',
  end: 'ends the TCP connection without a closing handshake: the client sees 1006, or a body that breaks off',
  reset: 'resets the TCP connection',
  cut: 'sends the first `bytes` bytes (default: half) of the next frame, SSE event or JSON body, then ends (`reset`: resets) the connection',
  'black-hole': 'neither reads nor writes any more, and leaves the connection open',
  throttle: 'from then on sends no more than `bytes_per_second` on the connection, the frames in fragments',
  'no-pong': 'does not answer pings any more',
  error: 'ends the turn with an error of the given `shape`; before the first event, over HTTP, with its status',
  'connection-limit': 'sends websocket_connection_limit_reached and closes the socket with `code`',
  forget: 'forgets the response that the turn continues, stored or not: previous_response_not_found',
  drop: 'leaves out one event; without its terminal event a turn over SSE just ends, one on a socket stays silent',
  'empty-output': 'sends the terminal event with `output: []`, as some providers always do',
  repeat: 'sends one event again, `times` times',
  reorder: 'sends an event after the one that follows it',
  'wrong-id': 'gives the events after it another response id',
  stray: 'sends a text delta and the terminal event of some other response',
};

/** The schema of `do` in a rule: the text form of a fault, or an object that names the fault. */
export const faultInput = z
  .union([z.string().min(1), schema], { error: ({ input }) => faultProblem(input) })
  .superRefine((value, context) => {
    const message = faultProblem(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** Why a value is no fault; undefined if it is one. */
function faultProblem(value: unknown): string | undefined {
  try {
    parseFault(value);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * Reads a fault: an object, or `NAME key=value …`, where a value is a number, true, false, a word, or JSON (a text with
 * spaces in double quotes, an object for `headers`).
 *
 * @throws SyntaxError with one sentence
 */
export function parseFault(input: unknown): Fault {
  const requested = typeof input === 'string' ? readText(input) : input;
  const checked = schema.safeParse(requested);
  if (checked.success) return checked.data;
  const { issues } = checked.error;
  // An unknown key is reported first: if a parameter is missing, it may only be misspelt.
  throw new SyntaxError(problemOf(requested, issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]));
}

/** Reads several faults with `;` between them, as the header and the metadata field carry them. @throws SyntaxError */
export function parseFaults(text: string): readonly Fault[] {
  const parts = text.match(/(?:"(?:[^"\\]|\\.)*"|[^;"])+/g) ?? [];
  const requested = parts.map((part) => part.trim()).filter((part) => part !== '');
  if (requested.length === 0) throw new SyntaxError('it names no fault');
  return requested.map(parseFault);
}

/** The text form of a fault, as the journal writes it. */
export function describeFault({ fault, ...parameters }: Fault): string {
  const written = Object.entries(parameters)
    .filter(([, value]) => value !== undefined && value !== '' && !isEmptyRecord(value))
    .map(
      ([name, value]) =>
        `${name}=${typeof value === 'string' && /^[\w.-]+$/.test(value) ? value : JSON.stringify(value)}`,
    );
  return [fault, ...written].join(' ');
}

function isEmptyRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

const parameterPattern = /\s+([\w-]+)=("(?:[^"\\]|\\.)*"|\{(?:"(?:[^"\\]|\\.)*"|[^"}])*\}|[^\s"{]*)/gy;

function readText(text: string): Record<string, unknown> {
  const name = /^\s*([\w-]+)/.exec(text);
  if (name === null) throw new SyntaxError(`${JSON.stringify(text)} does not begin with the name of a fault`);
  const fault: Record<string, unknown> = { fault: name[1] };
  let end = (parameterPattern.lastIndex = name[0].length);
  for (let found = parameterPattern.exec(text); found !== null; found = parameterPattern.exec(text)) {
    fault[found[1] ?? ''] = readValue(found[2] ?? '');
    end = parameterPattern.lastIndex;
  }
  const rest = text.slice(end).trim();
  if (rest === '') return fault;
  throw new SyntaxError(`${JSON.stringify(rest)} is not of the form key=value`);
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function problemOf(requested: unknown, issue: z.core.$ZodIssue | undefined): string {
  const name =
    typeof requested === 'object' && requested !== null && 'fault' in requested ? String(requested.fault) : undefined;
  if (name === undefined || !Object.hasOwn(faultTexts, name)) {
    return `there is no fault ${JSON.stringify(name ?? requested)}; ${advice(String(name), Object.keys(faultTexts))}`;
  }
  if (issue?.code === 'unrecognized_keys') {
    const wrong = issue.keys[0] ?? '';
    return `the fault "${name}" has no parameter "${wrong}"; ${advice(wrong, parametersOf(name))}`;
  }
  const parameter = issue?.path.map(String).join('.') ?? '';
  const subject = `the parameter "${parameter}" of the fault "${name}"`;
  const given = isRecord(requested) ? requested[parameter] : undefined;
  const words = issue === undefined ? [] : wordsOf(issue);
  if (typeof given === 'string' && words.length > 0) {
    return `${subject} cannot be ${JSON.stringify(given)}; ${advice(given, words)}`;
  }
  return `${subject} is not valid: ${issue?.message.replace(/^Invalid input: /, '') ?? 'unknown reason'}`;
}

/** The names of a fault's parameters. */
function parametersOf(name: string): readonly string[] {
  const shape = schema.options.find((option) => option.shape.fault.value === name)?.shape;
  return Object.keys(shape ?? {}).filter((key) => key !== 'fault');
}
