import type { Entry } from './script.js';

/** One element of an entry's `output`, which becomes one output item. */
export type Element = NonNullable<Entry['output']>[number];

/** The elements of an entry in either of its two forms. */
export function elements(entry: Entry): readonly Element[] {
  const { output, reasoning, calls = [], text, refusal, annotations, phase } = entry;
  if (output !== undefined) return output;
  return [
    ...(reasoning === undefined ? [] : [{ reasoning }]),
    ...(text === undefined && refusal === undefined ? [] : [{ text, refusal, annotations, phase }]),
    ...calls.map((call) => ({ call })),
  ];
}
