// Checks the values of options, which commander gives as strings.
import { InvalidArgumentError, Option } from 'commander';

/** Collects the values of an option that may be given several times. */
export function several(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** The option --env-from-file, for all verbs that need secrets. */
export function envFromFile(): Option {
  return new Option(
    '--env-from-file <file>',
    'take secrets from a file of KEY=VALUE lines; may be given several times',
  ).argParser(several);
}

/** The option --allow-host, for all verbs that listen. */
export function allowHost(): Option {
  return new Option('--allow-host <names...>', 'host names that requests may use, besides those of this machine');
}

/** The option --allow-origin, for all verbs that listen. */
export function allowOrigin(): Option {
  return new Option('--allow-origin <origins...>', 'origins of web pages that may send requests; default: none');
}

/** Reads a number of 0 or more. */
export function numberUpTo(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= 0 && value <= most))
      throw new InvalidArgumentError(`Give a number from 0 to ${most}.`);
    return value;
  };
}

/** Reads a whole number of 1 or more. */
export function wholeUpTo(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(Number.isInteger(value) && value >= 1 && value <= most))
      throw new InvalidArgumentError(`Give a whole number from 1 to ${most}.`);
    return value;
  };
}

/** Reads the speed of a replay: a factor, or `at-once`. */
export function speed(text: string): number | 'at-once' {
  if (text === 'at-once') return text;
  const factor = Number(text);
  if (!(factor > 0 && factor < Infinity)) throw new InvalidArgumentError('Give a number above 0, or "at-once".');
  return factor;
}

/** Reads a number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && Number.isFinite(value)))
    throw new InvalidArgumentError('Give a number greater than 0.');
  return value;
}
