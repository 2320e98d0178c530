import { minimatch } from 'minimatch';

/** The pattern of a rule's glob, for whole texts: `*` stands for any characters, `?` for one character. */
export function globPattern(glob: string, flags = 'u'): RegExp {
  // Several `*` in a row become one: they would make the search slow.
  const source = glob
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '[^]*')
    .replace(/\?/g, '[^]');
  return new RegExp(`^${source}$`, flags);
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
