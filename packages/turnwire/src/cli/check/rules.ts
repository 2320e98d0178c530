import { clients } from './chapters/clients.js';
import { connecting } from './chapters/connecting.js';
import { errors } from './chapters/errors.js';
import { events } from './chapters/events.js';
import { lanes } from './chapters/lanes.js';
import { sse } from './chapters/sse.js';
import { state } from './chapters/state.js';
import { transports } from './chapters/transports.js';
import { turns } from './chapters/turns.js';
import { UsageError } from '../process/usage-error.js';
import type { Rule } from './rule.js';

/** All rules, in the order in which they are tried. */
export const rules: readonly Rule[] = [
  ...connecting,
  ...sse,
  ...transports,
  ...events,
  ...errors,
  ...state,
  ...lanes,
  ...turns,
  ...clients,
];

/**
 * The rules with these ids, and those of the chapters with these names; all rules without any name.
 *
 * @throws UsageError
 */
export function chosenRules(names: readonly string[] | undefined): readonly Rule[] {
  if (names === undefined) return rules;
  const matches = (name: string) => rules.filter(({ id }) => id === name || id.startsWith(`${name}/`));
  const unknown = names.find((name) => matches(name).length === 0);
  if (unknown !== undefined) {
    const chapters = [...new Set(rules.map(({ id }) => id.split('/')[0] ?? ''))].join(', ');
    throw new UsageError(
      `there is no rule and no chapter "${unknown}"; chapters are ${chapters}, and --list shows the rules`,
    );
  }
  const chosen = new Set(names.flatMap(matches));
  return rules.filter((rule) => chosen.has(rule));
}
