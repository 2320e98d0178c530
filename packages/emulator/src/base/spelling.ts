/** The advice of an error about an unknown name: the known name that was probably meant, or else all known names. */
export function advice(wrong: string, known: readonly string[]): string {
  const nearestName = nearest(wrong, known);
  if (nearestName !== undefined) return `did you mean "${nearestName}"`;
  return known.length === 0 ? 'leave it out' : `there are ${known.join(', ')}`;
}

/** The known name that a misspelt name is likely to stand for; undefined if none is near. */
function nearest(wrong: string, known: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(wrong.length / 3));
  let best: { readonly name: string; readonly edits: number } | undefined;
  for (const name of known) {
    const edits = editsBetween(wrong.slice(0, 64).toLowerCase(), name.toLowerCase());
    if (edits <= most && (best === undefined || edits < best.edits)) best = { name, edits };
  }
  return best?.name;
}

/** The edit distance of two names: letters to add, leave out or replace. Two neighbouring letters that changed places count as one edit. */
function editsBetween(a: string, b: string): number {
  let [older, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          (last?.[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (last?.[j - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (older?.[j - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    [older, last] = [last ?? [], row];
  }
  return last?.[b.length] ?? 0;
}
