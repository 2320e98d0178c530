/** `problem`: a fault, or a loss of time; `note`: worth knowing. */
export type Level = 'ok' | 'note' | 'problem';

/** The result of one look. */
export interface Finding {
  /** The name for programs, in kebab-case. */
  id: string;
  level: Level;
  /** The state that was found, in one sentence. */
  text: string;
  /** The remedy. */
  advice?: string;
  /** The figures, for programs. */
  values?: Readonly<Record<string, number | string | null>>;
}

export function ms(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`;
}
