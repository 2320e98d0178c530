import { evaluate, ExpressionError, type Scope } from '../../config/variables/expression.js';
import {
  callsInExpression,
  isToolName,
  type Piece,
  piecesOf,
  type PromptTemplate,
  valueOf,
  type WrittenArgument,
} from '../../config/variables/template.js';
import type { AgentEvent } from '../events.js';
import { singleCall, type SingleCallOptions } from './single-call.js';

/** Thrown by an expression that needs the result of a call. */
class Needed extends Error {
  readonly call: string;
  readonly args: Readonly<Record<string, unknown>>;

  constructor(call: string, args: Readonly<Record<string, unknown>>) {
    super(`the result of ${call} is needed`);
    this.call = call;
    this.args = args;
  }
}

/**
 * The text of a template with the results of its calls. Each call passes the same rules, hooks and questions as a call of the model, in the order of the
 * text; the message of a refused or failed call is put in like a result. Results and the user's words are not searched for calls.
 *
 * @throws what ends a run: the signal's reason, AgentError where a hook wants that
 */
export async function* filled(
  { template, args, tail }: PromptTemplate,
  options: SingleCallOptions,
): AsyncGenerator<AgentEvent, string> {
  const scope: Scope = { env: new Map(), args };
  const made = { count: 0 };
  let text = '';
  for (const piece of piecesOf(template)) text += yield* textOf(piece, scope, made, options);
  return `${text}${tail}`;
}

async function* textOf(
  piece: Piece,
  scope: Scope,
  made: { count: number },
  options: SingleCallOptions,
): AsyncGenerator<AgentEvent, string> {
  if (piece.kind === 'text') return piece.text;
  const isTool = (name: string): boolean => options.tools.has(name) || isToolName(name);
  if (piece.kind === 'call') {
    if (!isTool(piece.name)) return piece.whole;
    const given = piece.args.map((each) => [each.key, typed(each, valueOf(each, scope), piece.name, options)] as const);
    return (yield* result(piece.name, Object.fromEntries(given), made, options)).trim();
  }
  const calls = callsInExpression(piece.source);
  if (calls.length === 0 && !/\bargs\b/.test(piece.source)) return piece.whole;
  if (!calls.every(isTool)) return piece.whole;
  // Calls run one after another: each evaluation goes as far as the first call whose result is missing.
  const results: string[] = [];
  for (;;) {
    let at = 0;
    const call = (name: string, given: Readonly<Record<string, unknown>>): string => {
      const known = results[at++];
      if (known === undefined) throw new Needed(name, given);
      return known;
    };
    try {
      return evaluate(piece.source, { ...scope, call }) ?? '';
    } catch (error) {
      if (error instanceof ExpressionError && calls.length > 0 && results.length === 0) return piece.whole;
      if (!(error instanceof Needed)) throw error;
      results.push(yield* result(error.call, error.args, made, options));
    }
  }
}

/** Runs one call, and resolves to the text that the model would get. */
async function* result(
  name: string,
  args: Readonly<Record<string, unknown>>,
  made: { count: number },
  options: SingleCallOptions,
): AsyncGenerator<AgentEvent, string> {
  made.count += 1;
  return (yield* singleCall({ id: `prompt_${made.count}`, name, args }, options)).output;
}

/** The value of an argument in the type that the tool takes: a text that looks like a number becomes one, unless the tool takes a text. */
function typed({ key, quoted }: WrittenArgument, value: string, name: string, { tools }: SingleCallOptions): unknown {
  const properties = tools.get(name)?.parameters['properties'];
  const schema: unknown =
    typeof properties === 'object' && properties !== null && Object.hasOwn(properties, key)
      ? Reflect.get(properties, key)
      : undefined;
  const wanted: unknown = typeof schema === 'object' && schema !== null && 'type' in schema ? schema.type : undefined;
  if (wanted === 'string' || (wanted === undefined && quoted)) return value;
  if (value === 'true' || value === 'false') return value === 'true';
  return /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
}
