import type { Entry } from './script.js';

/** One item of an entry. */
export type Element = NonNullable<Entry['output']>[number];

/** What an entry says as a list of items, whichever of its two forms it is written in. */
export function elements(entry: Entry): readonly Element[] {
  const { output, reasoning, calls = [], text, refusal, annotations, phase } = entry;
  if (output !== undefined) return output;
  return [
    ...(reasoning === undefined ? [] : [{ reasoning }]),
    ...(text === undefined && refusal === undefined ? [] : [{ text, refusal, annotations, phase }]),
    ...calls.map((call) => ({ call })),
  ];
}
