// The values of options: what commander hands over as texts, checked.
import { InvalidArgumentError, Option } from 'commander';

/** The values of an option that may be given several times. */
export function several(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** The option of all verbs that need secrets. */
export function envFromFile(): Option {
  return new Option(
    '--env-from-file <file>',
    'take secrets from a file of KEY=VALUE lines; may be given several times',
  ).argParser(several);
}

/** A number from 0 on. */
export function numberUpTo(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= 0 && value <= most))
      throw new InvalidArgumentError(`Give a number from 0 to ${most}.`);
    return value;
  };
}

/** A whole number from 1 on. */
export function wholeUpTo(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(Number.isInteger(value) && value >= 1 && value <= most))
      throw new InvalidArgumentError(`Give a whole number from 1 to ${most}.`);
    return value;
  };
}

/** How fast a recording is played: a factor, or `at-once`. */
export function speed(text: string): number | 'at-once' {
  if (text === 'at-once') return text;
  const factor = Number(text);
  if (!(factor > 0 && factor < Infinity)) throw new InvalidArgumentError('Give a number above 0, or "at-once".');
  return factor;
}

/** A number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && Number.isFinite(value)))
    throw new InvalidArgumentError('Give a number greater than 0.');
  return value;
}
