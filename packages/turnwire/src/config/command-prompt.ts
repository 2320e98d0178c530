import { evaluate, ExpressionError, expressionsIn } from './variables/expression.js';

/**
 * The prompt that a command stands for. What was typed after its name is put where the prompt has `${args…}`, and else follows it.
 *
 * @throws ExpressionError that says what is wrong with a `${args…}`.
 */
export function commandPrompt(instruction: string, typed: string): string {
  const asking = expressionsIn(instruction).filter(({ source }) => /\bargs\b/.test(source));
  if (asking.length === 0) return typed === '' ? instruction : `${instruction}\n\n${typed}`;
  const scope = { env: new Map(), args: argumentsOf(typed) };
  return asking.reduce(
    (prompt, { whole, source }) => prompt.replace(whole, () => evaluate(source, scope) ?? ''),
    instruction,
  );
}

/** What is wrong with the `${args…}` of a command, as a sentence; undefined if nothing. */
export function commandProblem(instruction: string): string | undefined {
  try {
    commandPrompt(instruction, '');
    return undefined;
  } catch (error) {
    if (error instanceof ExpressionError) return `${error.message}; write \${args[0]}, \${args} or \${args.join(", ")}`;
    throw error;
  }
}

/** Words, and what stands in quotes. */
function argumentsOf(typed: string): string[] {
  return [...typed.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );
}

/** What is wrong with the address of a command, as a sentence; undefined if nothing. */
export function urlProblem(url: string): string | undefined {
  return URL.canParse(commandUrl(url, 'id'))
    ? undefined
    : 'this is no address; write it with its beginning, such as https://';
}

/** The address that a command opens. */
export function commandUrl(url: string, sessionId: string): string {
  return url.replaceAll('{{session_id}}', encodeURIComponent(sessionId));
}
