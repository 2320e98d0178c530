export interface Edit {
  oldText: string;
  newText: string;
}

/**
 * Replaces the single occurrence of `oldText`. The search ignores the kind of line ends; the new text gets those of the place, or of the file, and the rest
 * of the file stays unchanged.
 *
 * @param number the number of the edit, for messages
 * @throws Error if there is no such place, or more than one
 */
export function replaceOnce(content: string, { oldText, newText }: Edit, number: number): string {
  // Positions of the `\n` in the searched text that are `\r\n` in the content.
  const crlfs: number[] = [];
  for (let at = content.indexOf('\r\n'); at !== -1; at = content.indexOf('\r\n', at + 2)) crlfs.push(at - crlfs.length);
  const plain = withLineEnd(content, '\n');
  const wanted = withLineEnd(oldText, '\n');
  const first = plain.indexOf(wanted);
  if (first === -1) throw new Error(`edit ${number}: the oldText is not in the file; nothing was changed`);
  if (plain.includes(wanted, first + 1)) {
    throw new Error(
      `edit ${number}: the oldText occurs more than once; give more of its surroundings. Nothing was changed`,
    );
  }
  const inContent = (position: number): number => position + crlfs.filter((crlf) => crlf < position).length;
  const start = inContent(first);
  const end = inContent(first + wanted.length);
  const lineEnd = lineEndOf(content.slice(start, end)) ?? lineEndOf(content);
  const put = lineEnd === undefined ? newText : withLineEnd(newText, lineEnd);
  return content.slice(0, start) + put + content.slice(end);
}

/** The line end of most lines; undefined for a text of one line. */
function lineEndOf(text: string): '\r\n' | '\n' | undefined {
  const all = text.match(/\r?\n/g) ?? [];
  if (all.length === 0) return undefined;
  return all.filter((end) => end === '\r\n').length * 2 > all.length ? '\r\n' : '\n';
}

function withLineEnd(text: string, end: '\r\n' | '\n'): string {
  return text.replace(/\r?\n/g, () => end);
}
