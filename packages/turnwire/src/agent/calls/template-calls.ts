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
import { History } from '../conversation/history.js';
import type { AgentEvent } from '../events.js';
import { outputText } from '../tools/output.js';
import type { ToolOutput } from '../tools/tool.js';
import { type CallOptions, runCalls } from './calls.js';
import { Repetition } from './repetition.js';
import type { Call } from './turn-calls.js';

/** What calls are run with; each has a history of its own, because the model has not made it. */
export type TemplateOptions = Omit<CallOptions, 'history' | 'repetition'>;

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
 * The text of a template, with what its tools return put in. Each call passes the rules, hooks and questions that one of the model's passes, in the order of
 * the text; what a refused or failed call says is put in like a result. Neither results nor what was typed are looked through for calls.
 *
 * @throws what ends a run: the signal's reason, AgentError where a hook wants that.
 */
export async function* filled(
  { template, args, tail }: PromptTemplate,
  options: TemplateOptions,
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
  options: TemplateOptions,
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
  // Calls are made one after another: each evaluation goes on to the first one whose result is not known.
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

/** Makes one call, and resolves to what the model would be told of it. */
async function* result(
  name: string,
  args: Readonly<Record<string, unknown>>,
  made: { count: number },
  options: TemplateOptions,
): AsyncGenerator<AgentEvent, string> {
  const history = new History();
  made.count += 1;
  const call: Call = {
    id: `prompt_${made.count}`,
    name,
    arguments: JSON.stringify(args),
    answer: 'function_call_output',
  };
  yield* runCalls([call], { ...options, history, repetition: new Repetition(Infinity) });
  const [item] = history.items;
  return item !== undefined && 'output' in item ? outputText(item.output as ToolOutput) : '';
}

/** A value as the tool takes it: what looks like a number is one, unless a text is wanted. */
function typed({ key, quoted }: WrittenArgument, value: string, name: string, { tools }: TemplateOptions): unknown {
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
