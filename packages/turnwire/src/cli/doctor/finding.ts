/** `problem`: something is wrong, or costs time; `note`: worth knowing. */
export type Level = 'ok' | 'note' | 'problem';

/** One thing that was looked at. */
export interface Finding {
  /** For programs: kebab-case. */
  id: string;
  level: Level;
  /** What is so, in one sentence. */
  text: string;
  /** What to do about it. */
  advice?: string;
  /** Numbers, for programs. */
  values?: Readonly<Record<string, number | string | null>>;
}

export function ms(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`;
}
