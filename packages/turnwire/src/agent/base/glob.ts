import { minimatch } from 'minimatch';

/** One part of a glob: an escaped character, a class such as `[a-z]` or `[^0-9]`, stars, or a single character. */
const part = /\\([*?[\]\\])|\[(\^?)((?:\\[^]|[^\]\\])+)\]|\*+|[^]/gu;

/**
 * The pattern of a rule's glob, for whole texts: `*` stands for any characters, `?` for one character, `[a-z]` for one of these, and `\*` for `*` itself. A
 * class and a backslash also stand for themselves, because both occur in names of files.
 */
export function globPattern(glob: string, flags = 'u'): RegExp {
  const source = glob.replace(part, (whole, escaped: string | undefined, not: string | undefined, set = '') => {
    // Several stars become one: they would make the search slow.
    if (whole.startsWith('*')) return '[^]*';
    if (whole === '?') return '[^]';
    if (escaped === '*' || escaped === '?') return `(?:\\${escaped}|\\\\[^]${escaped === '*' ? '*' : ''})`;
    if (escaped !== undefined) return `\\\\?\\${escaped}`;
    if (set === '') return literal(whole);
    const known = classOf(not === '^', String(set));
    return known === undefined ? literal(whole) : `(?:${known}|${literal(whole)})`;
  });
  return new RegExp(`^${source}$`, flags);
}

function literal(text: string): string {
  return text.replace(/[.+^${}()|[\]\\*?/]/g, '\\$&');
}

/** A class of a glob as a regular expression; undefined for an invalid one, such as `[z-a]`. */
function classOf(isNegated: boolean, set: string): string | undefined {
  const inner = set.replace(/\\([^])|([\\^[\]])/g, (_whole, escaped?: string, plain?: string) => {
    const character = escaped ?? plain ?? '';
    return /[\\^[\]-]/.test(character) ? `\\${character}` : character;
  });
  const source = `[${isNegated ? '^' : ''}${inner}]`;
  try {
    return new RegExp(source, 'u').source;
  } catch {
    return undefined;
  }
}

/**
 * True where a path with `/` between its parts matches a pattern, by the rules of Node's `path.matchesGlob`: `*` stays within a part, `**` stands for any
 * number of folders, also none. Node's function is experimental in Node 20 and prints a warning, so minimatch, on which it is built, is used with the same
 * options.
 */
export function matchesPath(path: string, pattern: string, { dot = false }: { dot?: boolean } = {}): boolean {
  return minimatch(path, pattern, {
    dot,
    nocase: process.platform === 'darwin' || process.platform === 'win32',
    windowsPathsNoEscape: true,
    nonegate: true,
    nocomment: true,
    optimizationLevel: 2,
    nocaseMagicOnly: true,
  });
}
