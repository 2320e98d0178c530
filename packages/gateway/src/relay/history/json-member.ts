/** A place in a text: from its first character to the one after its last. */
export interface Span {
  from: number;
  to: number;
}

/** A string, a bracket, a mark between members, or a number or word. */
const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g;

/**
 * The value of a member of the object that begins at or after `at`, as a span of the text; undefined where the object has no such member. Of members with the
 * same name the last one counts, as in `JSON.parse`.
 *
 * @param text valid JSON
 */
export function memberOf(text: string, at: number, name: string): Span | undefined {
  const expression = new RegExp(token);
  expression.lastIndex = at;
  let depth = 0;
  let key: string | undefined;
  let from: number | undefined;
  let found: Span | undefined;
  for (let match = expression.exec(text); match !== null; match = expression.exec(text)) {
    const [mark] = match;
    const isNested = depth > 1;
    if (mark === '}' || mark === ']') depth -= 1;
    if (mark === '{' || mark === '[') depth += 1;
    if (isNested) continue;
    const isEnd = mark === ',' || depth === 0;
    if (isEnd && from !== undefined && key !== undefined) {
      if (JSON.parse(key) === name) found = { from, to: text.slice(0, match.index).trimEnd().length };
      key = from = undefined;
    }
    if (depth === 0) return found;
    if (mark === ':' && from === undefined) from = firstAfter(text, expression.lastIndex);
    else if (from === undefined && mark.startsWith('"')) key = mark;
  }
  return found;
}

function firstAfter(text: string, index: number): number {
  let at = index;
  while (/\s/.test(text.charAt(at))) at += 1;
  return at;
}
