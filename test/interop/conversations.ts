import { readFileSync } from 'node:fs';
import type { EmulatorOptions } from 'turnwire/emulator';

type Script = NonNullable<Exclude<EmulatorOptions['script'], string>>;

/** A tool that every SDK is given, by its schema. */
export const fileCount = {
  name: 'file_count',
  description: 'Counts the files of a folder.',
  parameters: {
    type: 'object',
    properties: { folder: { type: 'string' }, depth: { type: 'number' } },
    required: ['folder', 'depth'],
    additionalProperties: false,
  },
} as const;

/** The output of the tool. */
export function countFiles({ folder, depth }: { folder: string; depth: number }): string {
  return `${folder.length * depth} files`;
}

export const loopTurns = 24;

/**
 * 24 turns: reasoning in each third one, two calls at once in each fourth, arguments in another order than the schema has them, and words
 * beside the calls.
 */
export const toolLoop: Script = {
  turns: [
    ...Array.from({ length: loopTurns - 1 }, (_, turn) => ({
      ...(turn % 3 === 0 ? { reasoning: [`Folder ${turn} is next.`, 'It may be large.'] } : {}),
      ...(turn % 5 === 0 ? { text: `I look at folder ${turn}.` } : {}),
      calls: [
        { name: 'file_count', arguments: { depth: turn, folder: `src/${turn}` } },
        ...(turn % 4 === 0 ? [{ name: 'file_count', arguments: { folder: `test/${turn}`, depth: 1 } }] : []),
      ],
    })),
    { reasoning: ['That was all.'], text: 'I have counted 24 times.' },
  ],
};

/** The same, and a summary has one part. */
export const plainToolLoop: Script = {
  turns: toolLoop.turns!.map((turn) => ('reasoning' in turn ? { ...turn, reasoning: ['Next.'] } : turn)),
};

/** Reasoning and two calls at once, then an answer made of what they gave. */
export const parallelCalls: Script = {
  turns: [
    {
      reasoning: ['Two folders.'],
      calls: [
        { name: 'file_count', as: 'a', arguments: { folder: 'src', depth: 2 } },
        { name: 'file_count', as: 'b', arguments: { folder: 'test', depth: 1 } },
      ],
    },
    { text: '{{ a }} and {{ b }}.' },
  ],
};

/** The statuses with which a server refuses a turn before it begins. */
export const refusals = [400, 401, 403, 404, 409, 413, 429, 500, 503] as const;

/** The fault by which the emulator refuses so. */
export function refusing(status: number): Record<'turnwire_fault', string> {
  // SDKs that retry need not wait.
  return {
    turnwire_fault: `error status=${status} code=code_${status} message="No: ${status}." headers={"retry-after-ms":"1"}`,
  };
}

/** How many turns of the tool loop are deltas, as a page of the docs promises in this row. */
export function promised(row: string, page: 'fetch.md' | 'gateway.md' = 'fetch.md'): number {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  const line = text.split('\n').find((one) => one.startsWith(`| ${row} | `));
  if (line === undefined) throw new Error(`docs/${page} has no row "${row}"`);
  return Number.parseInt(line.split(' | ')[1] ?? '', 10);
}
