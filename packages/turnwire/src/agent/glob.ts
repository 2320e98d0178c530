/** A glob as a pattern for whole texts: `*` stands for any characters, `?` for one; all else for itself. */
export function globPattern(glob: string): RegExp {
  // Runs of * are one: several would make the search slow.
  const source = glob
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '[^]*')
    .replace(/\?/g, '[^]');
  return new RegExp(`^${source}$`, 'u');
}
