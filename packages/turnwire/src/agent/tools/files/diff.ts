import { structuredPatch } from 'diff';

/** The longest comparison, in milliseconds: that of long texts with nothing in common takes minutes. */
const compareTime = 250;

/**
 * The change of a file in the unified format. For a new file, and for one with nothing in common with its former text, the whole text is shown.
 *
 * @param before undefined: the file is new
 */
export function diffOf(name: string, before: string | undefined, after: string): string {
  if (before === after) return `${name} stays as it is`;
  const title = before === undefined ? `${name}, a new file` : name;
  const [from, to] = inOneForm(before ?? '', after);
  const patch = structuredPatch(name, name, from, to, undefined, undefined, { context: 3, timeout: compareTime });
  const hunks = patch?.hunks ?? [{ oldStart: 1, newStart: 1, lines: [...lines(from, '-'), ...lines(to, '+')] }];
  return [
    title,
    ...hunks.flatMap(({ oldStart, newStart, lines: changed }) => [`@@ -${oldStart} +${newStart} @@`, ...changed]),
  ].join('\n');
}

/** Both texts with the same line ends, where the lines of both end in CR LF: a diff would show the CR at the end of each line. */
function inOneForm(before: string, after: string): [string, string] {
  const windows = [before, after].every((text) => !/(?:^|[^\r])\n/.test(text));
  return windows ? [before.replaceAll('\r\n', '\n'), after.replaceAll('\r\n', '\n')] : [before, after];
}

function lines(text: string, sign: string): string[] {
  return text === ''
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => sign + line);
}
