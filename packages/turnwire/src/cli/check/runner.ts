import { exchange } from '../probe/http.js';
import { redacted, Trace } from '../probe/trace.js';
import { Deviation, NotApplicable } from './deviation.js';
import { Probe } from './probe.js';
import { secretsOf } from '../probe/target.js';
import type { HttpRequest } from '../probe/http.js';
import type { Run } from './probe.js';
import type { Rule } from './rule.js';

export type Verdict =
  | { kind: 'passed' }
  | { kind: 'skipped'; reason: string }
  | { kind: 'failed'; reason: string; frames: readonly string[]; request: HttpRequest | undefined };

export interface Result {
  rule: Rule;
  verdict: Verdict;
}

/** The longest time of a whole run, in milliseconds: rules that are left then are skipped. */
const runMs = 15 * 60_000;

export interface RunOptions {
  signal: AbortSignal;
  onResult: (result: Result) => void;
}

/** Runs the rules one after another, so that the server has one exchange at a time. */
export async function tryRules(run: Run, rules: readonly Rule[], options: RunOptions): Promise<readonly Result[]> {
  const began = performance.now();
  const results: Result[] = [];
  for (const rule of rules) {
    if (options.signal.aborted) break;
    const reason = reasonToSkip(run, rule, performance.now() - began);
    const verdict: Verdict = reason === undefined ? await tryRule(run, rule) : { kind: 'skipped', reason };
    const result = { rule, verdict };
    results.push(result);
    options.onResult(result);
  }
  await deleteStored(run);
  return results;
}

/** The reason why a rule does not apply to a profile; undefined where it applies. */
export function exceptionOf({ only, except }: Rule, { name }: Run['profile']): string | undefined {
  if (only !== undefined && !only.includes(name)) return `only for ${only.join(', ')}`;
  return except?.[name];
}

function reasonToSkip(run: Run, rule: Rule, elapsedMs: number): string | undefined {
  const exception = exceptionOf(rule, run.profile);
  if (exception !== undefined) return exception;
  if (elapsedMs > runMs) return `the checks have taken ${runMs / 60_000} minutes`;
  const { spending } = run;
  if (spending.spent + spending.bound(rule.turns ?? 0) > spending.budget && (rule.turns ?? 0) > 0)
    return 'the budget is spent';
  return undefined;
}

async function tryRule(run: Run, rule: Rule): Promise<Verdict> {
  const probe = new Probe(run);
  try {
    await rule.run(probe);
    return { kind: 'passed' };
  } catch (error) {
    if (!(error instanceof NotApplicable || error instanceof Deviation)) throw error;
    const reason = redacted(error.message, secretsOf(run.target));
    if (error instanceof NotApplicable) return { kind: 'skipped', reason };
    return {
      kind: 'failed',
      reason,
      frames: probe.trace.lines,
      request: probe.usesSocket ? undefined : probe.lastRequest,
    };
  } finally {
    probe.dispose();
  }
}

/** Deletes the responses that the rules have stored, where the server allows it. */
async function deleteStored({ target, stored }: Run): Promise<void> {
  const trace = new Trace(secretsOf(target));
  for (const id of stored)
    await exchange(target, trace, { method: 'DELETE', path: `responses/${encodeURIComponent(id)}` }).catch(
      () => undefined,
    );
}
