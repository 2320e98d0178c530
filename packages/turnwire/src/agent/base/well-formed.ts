/**
 * A JSON value in which unpaired surrogates are replaced by U+FFFD. Servers that store texts as UTF-8 refuse a whole request for one of them. A value without
 * any is returned unchanged, as the same object.
 */
export function wellFormed<Value>(value: Value): Value {
  return withoutUnpairedSurrogates(value) as Value;
}

function withoutUnpairedSurrogates(value: unknown): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : value.toWellFormed();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = value.map(withoutUnpairedSurrogates);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const entries = Object.entries(value);
  const mended = entries.map(([key, field]) => [key.toWellFormed(), withoutUnpairedSurrogates(field)] as const);
  const same = mended.every(([key, field], index) => key === entries[index]?.[0] && field === entries[index][1]);
  return same ? value : Object.fromEntries(mended);
}

/** The first `most` UTF-16 units of a text, one fewer where the cut would fall into a character. */
export function firstCharacters(text: string, most: number): string {
  return text.slice(0, inPair(text, most) ? most - 1 : most);
}

/** The last `most` UTF-16 units of a text, one fewer where the cut would fall into a character. */
export function lastCharacters(text: string, most: number): string {
  const start = Math.max(0, text.length - most);
  return text.slice(inPair(text, start) ? start + 1 : start);
}

/** True where a cut at `index` would separate the two halves of a character. */
function inPair(text: string, index: number): boolean {
  return index > 0 && index < text.length && /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(index - 1, index + 1));
}
