import stringWidth from 'string-width';
import { wrapped } from './wrap.js';

export interface TableOptions {
  width: number;
  /** The style of the lines between the cells. */
  line: (text: string) => string;
  align: readonly ('center' | 'left' | 'right' | null)[];
}

/** The narrowest column that can still be read. */
const narrowest = 5;

/** A table in lines of at most `width` columns. Wide cells are wrapped; in a window too narrow for that, each row becomes a list of its cells. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string[] {
  const { width, line, align } = options;
  const all = [header, ...rows];
  const room = width - 3 * (header.length - 1);
  if (room < narrowest * header.length) {
    return rows.flatMap((row, index) => [
      ...(index > 0 ? [''] : []),
      ...row.flatMap((cell, column) => wrapped(`${header[column] ?? ''}: ${cell}`, width)),
    ]);
  }
  const widths = shares(
    header.map((_, column) => Math.max(1, ...all.map((row) => stringWidth(row[column] ?? '')))),
    room,
  );
  const shown = (row: readonly string[]): string[] => {
    const cells = widths.map((most, column) => wrapped(row[column] ?? '', most));
    const height = Math.max(...cells.map(({ length }) => length));
    return Array.from({ length: height }, (_, at) =>
      cells
        .map((cell, column) => padded(cell[at] ?? '', widths[column] ?? 0, align[column] ?? null))
        .join(line(' │ '))
        .trimEnd(),
    );
  };
  const rule = line(widths.map((each) => '─'.repeat(each)).join('─┼─'));
  return [...shown(header), rule, ...rows.flatMap(shown)];
}

/** Divides the room between columns: a column that needs less than an equal share gets what it needs, and the others share the rest equally. */
function shares(needs: readonly number[], room: number): number[] {
  let left = room;
  let open = needs.length;
  const widths = new Map<number, number>();
  for (const [column, need] of [...needs.entries()].sort(([, a], [, b]) => a - b)) {
    const share = Math.min(need, Math.floor(left / open));
    widths.set(column, share);
    left -= share;
    open -= 1;
  }
  return needs.map((_, column) => widths.get(column) ?? 1);
}

function padded(text: string, width: number, align: 'center' | 'left' | 'right' | null): string {
  const free = Math.max(0, width - stringWidth(text));
  const before = align === 'right' ? free : align === 'center' ? Math.floor(free / 2) : 0;
  return `${' '.repeat(before)}${text}${' '.repeat(free - before)}`;
}
