import { closingIndex, endOfExpression, evaluate, type Scope } from './expression.js';
import { toolNames } from '../tool-names.js';

/** A piece of a template: of an instruction, or of a command. */
export type Piece =
  | { kind: 'text'; text: string }
  /** `${…}` */
  | { kind: 'expression'; whole: string; source: string }
  /** `!tool(key=value …)` */
  | { kind: 'call'; whole: string; name: string; args: readonly WrittenArgument[] };

/** An argument as it is written in `!tool(key=value …)`. */
export interface WrittenArgument {
  key: string;
  value: string;
  /** True for an argument in quotes, which is a text whatever its characters. */
  quoted: boolean;
}

/** A text that becomes a prompt once its expressions are evaluated and its tools were called. */
export interface PromptTemplate {
  template: string;
  /** The words behind the name of a command. */
  args: readonly string[];
  /** The text that follows the prompt; empty for none. */
  tail: string;
}

/** The pieces of a template, in their order. Joined, they are the text. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  const add = (at: number, piece: Exclude<Piece, { kind: 'text' }>): void => {
    if (at > from) pieces.push({ kind: 'text', text: text.slice(from, at) });
    pieces.push(piece);
    from = at + piece.whole.length;
  };
  const beginning = /\$\{|(?<![\w!])!([A-Za-z_]\w*)\(/g;
  for (let found = beginning.exec(text); found !== null; found = beginning.exec(text)) {
    const { index } = found;
    const [opening, name] = found;
    if (name === undefined) {
      const end = endOfExpression(text, index + 2);
      if (end === undefined) continue;
      const source = text.slice(index + 2, end).trim();
      add(index, { kind: 'expression', whole: text.slice(index, end + 1), source });
    } else {
      const end = endOfCall(text, index + opening.length);
      if (end === undefined) continue;
      const args = writtenArguments(text.slice(index + opening.length, end));
      add(index, { kind: 'call', whole: text.slice(index, end + 1), name, args });
    }
    beginning.lastIndex = from;
  }
  if (from < text.length) pieces.push({ kind: 'text', text: text.slice(from) });
  return pieces;
}

/** The names in a text that are written like calls of tools, whether such tools exist or not. */
export function calledNames(text: string): string[] {
  return piecesOf(text).flatMap((piece) => {
    if (piece.kind === 'call') return [piece.name];
    return piece.kind === 'expression' ? callsInExpression(piece.source) : [];
  });
}

/** The functions that an expression calls; methods are not among them. */
export function callsInExpression(source: string): string[] {
  const bare = source.replace(/"[^"]*"|'[^']*'/g, '""');
  return [...bare.matchAll(/(?<![.\w$])([A-Za-z_]\w*)\s*\(\s*(?=[{)])/g)].map(([, name = '']) => name);
}

/** True for a tool of one of turnwire's toolsets. */
export function isToolName(name: string): boolean {
  return Object.values(toolNames).some((names) => names.includes(name));
}

/** The value of an argument of `!tool(key=value …)`, with each `${args…}` replaced. @throws ExpressionError */
export function valueOf({ value }: WrittenArgument, scope: Scope): string {
  return piecesOf(value)
    .map((piece) => {
      if (piece.kind === 'text') return piece.text;
      if (piece.kind === 'call' || !/\bargs\b/.test(piece.source)) return piece.whole;
      return evaluate(piece.source, scope) ?? '';
    })
    .join('');
}

/** The index of the parenthesis that ends a call. Inner parentheses and quotes are counted. */
function endOfCall(text: string, from: number): number | undefined {
  return closingIndex(text, from, { open: '(', close: ')', severalLines: true });
}

/** `key=value` pairs with blanks or commas between them; quotes keep blanks together. */
function writtenArguments(text: string): WrittenArgument[] {
  return [...text.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s,]*))/g)].map(
    ([, key = '', double, single, bare = '']) => {
      const quoted = double ?? single;
      return { key, value: quoted ?? bare, quoted: quoted !== undefined };
    },
  );
}
