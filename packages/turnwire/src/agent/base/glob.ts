import { minimatch } from 'minimatch';

/** A glob of a rule as a pattern for whole texts: `*` stands for any characters, `?` for one; all else for itself. */
export function globPattern(glob: string, flags = 'u'): RegExp {
  // Runs of * are one: several would make the search slow.
  const source = glob
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '[^]*')
    .replace(/\?/g, '[^]');
  return new RegExp(`^${source}$`, flags);
}

/**
 * Whether a path with `/` between its parts matches a pattern as `path.matchesGlob` of Node takes it: `*` stays within a part, `**` stands for any
 * number of folders, none included. That function is experimental in Node 20, and warns; minimatch is what it is made of, with these options.
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
