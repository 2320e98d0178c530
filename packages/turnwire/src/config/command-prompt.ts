import { evaluate, ExpressionError } from './variables/expression.js';
import { callsInExpression, piecesOf, type PromptTemplate, valueOf } from './variables/template.js';

/**
 * The prompt that a command stands for. The text behind the command's name replaces `${args…}` where the prompt has that, and follows the prompt otherwise.
 * For a prompt that may call tools this is a template, which the run fills in.
 *
 * @throws ExpressionError that says what is wrong with a `${args…}`
 */
export function commandPrompt(instruction: string, typed: string): string | PromptTemplate {
  const pieces = piecesOf(instruction);
  const asks = pieces.some((piece) => piece.kind !== 'text' && /\bargs\b/.test(piece.whole));
  const args = argumentsOf(typed);
  const tail = typed === '' || asks ? '' : `\n\n${typed}`;
  const calls = pieces.some(
    (piece) => piece.kind === 'call' || (piece.kind === 'expression' && callsInExpression(piece.source).length > 0),
  );
  if (calls) return { template: instruction, args, tail };
  const scope = { env: new Map(), args };
  const text = pieces.map((piece) => {
    if (piece.kind === 'text') return piece.text;
    const asking = piece.kind === 'expression' && /\bargs\b/.test(piece.source);
    return asking ? (evaluate(piece.source, scope) ?? '') : piece.whole;
  });
  return `${text.join('')}${tail}`;
}

/** The problem of a command's `${args…}` or calls, as a sentence; undefined for none. */
export function commandProblem(instruction: string): string | undefined {
  const scope = { env: new Map(), args: [], call: () => '' };
  try {
    for (const piece of piecesOf(instruction)) {
      if (piece.kind === 'call') for (const argument of piece.args) valueOf(argument, scope);
      if (piece.kind === 'expression' && /\bargs\b/.test(piece.source)) evaluate(piece.source, scope);
    }
    return undefined;
  } catch (error) {
    if (error instanceof ExpressionError) return `${error.message}; write \${args[0]}, \${args} or \${args.join(", ")}`;
    throw error;
  }
}

/** The words of a text; quotes keep several words together. */
function argumentsOf(typed: string): string[] {
  return [...typed.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );
}

/** The problem of a command's address, as a sentence; undefined for none. */
export function urlProblem(url: string): string | undefined {
  return URL.canParse(commandUrl(url, 'id'))
    ? undefined
    : 'this is no address; write it with its beginning, such as https://';
}

/** The address that a command opens. */
export function commandUrl(url: string, sessionId: string): string {
  return url.replaceAll('{{session_id}}', encodeURIComponent(sessionId));
}
