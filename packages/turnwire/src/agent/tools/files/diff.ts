import { structuredPatch } from 'diff';

/** For the comparison, in milliseconds: of long texts that have nothing in common it takes minutes. */
const compareTime = 250;

/**
 * What changes in a file, in the unified format; of a file that is new, or that has nothing in common with what it was, all of it.
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

/** Texts whose lines all end in CR LF are compared without the CR, which would stand at the end of each line. */
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
