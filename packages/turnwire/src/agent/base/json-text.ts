/** A key that occurs more than once in one object of a valid JSON text. */
export function repeatedKey(json: string): string | undefined {
  // The keys of each open object, outermost first; undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfString(json, at);
      if (followedByColon(json, end)) {
        const key = JSON.parse(json.slice(at, end)) as string;
        const keys = open.at(-1);
        if (keys?.has(key) === true) return key;
        keys?.add(key);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/**
 * The members of a valid JSON text that is an object, each with the text of its value, so that numbers keep all digits. Of two members with one key, the last
 * counts.
 */
export function rawMembers(json: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let depth = 0;
  let key: string | undefined;
  let start = 0;
  const close = (end: number): void => {
    if (key !== undefined) members.set(key, json.slice(start, end).trim());
    key = undefined;
  };
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (character === '"') {
      const end = endOfString(json, at);
      if (depth === 1 && key === undefined) {
        key = JSON.parse(json.slice(at, end)) as string;
        start = json.indexOf(':', end) + 1;
      }
      at = end - 1;
    } else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') {
      depth -= 1;
      if (depth === 0) close(at);
    } else if (character === ',' && depth === 1) close(at);
  }
  return members;
}

/** The index behind the quote that ends the string beginning at `start`. */
function endOfString(json: string, start: number): number {
  let end = start;
  for (;;) {
    end = json.indexOf('"', end + 1);
    let first = end;
    while (json[first - 1] === '\\') first -= 1;
    // A quote behind an odd number of backslashes is escaped.
    if ((end - first) % 2 === 0) return end + 1;
  }
}

function followedByColon(json: string, index: number): boolean {
  const next = /\S/g;
  next.lastIndex = index;
  return next.exec(json)?.[0] === ':';
}
