import { maxSpelledLength } from '../base/bounds.js';

/** The name that was probably meant, or undefined where none is close: a wrong guess is worse than none. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  // A third of the letters may be wrong, three at most.
  let most = Math.min(3, Math.floor(word.length / 3));
  for (const name of names) {
    const edits = editsBetween(word.toLowerCase(), name.toLowerCase());
    if (edits > most) continue;
    best = name;
    most = edits - 1;
  }
  return best;
}

/** The number of letters to add, to leave out or to replace; two neighbours that changed places count as one. */
function editsBetween(a: string, b: string): number {
  if (a.length > maxSpelledLength || b.length > maxSpelledLength) return Infinity;
  const rows = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  const edits = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i += 1) {
    const row = (rows[i] = [i]);
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          edits(i - 1, j) + 1,
          edits(i, j - 1) + 1,
          edits(i - 1, j - 1) + (isSame ? 0 : 1),
          isSwapped ? edits(i - 2, j - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return edits(a.length, b.length);
}
