import { exchange, NoAnswer } from '../probe/http.js';
import { baseUrlOf, refuseProxy, secretsOf } from '../probe/target.js';
import { Trace } from '../probe/trace.js';
import { keyAt } from '../options/endpoint-key.js';
import { thousands } from '../process/figures.js';
import { exitStatus, signalStatus } from '../process/exit-status.js';
import { Interrupts } from '../process/interrupts.js';
import { agreesToSpend } from '../run/prompt.js';
import { Printer } from '../process/terminal.js';
import { UsageError } from '../process/usage-error.js';
import { profileOf } from './profile.js';
import { printResult, printSummary, quoted, reportInJson } from './report.js';
import { chosenRules, rules } from './rules.js';
import { exceptionOf, tryRules } from './runner.js';
import { Spending } from './spending.js';
import type { Io } from '../process/io.js';
import type { Target } from '../probe/target.js';
import type { Run } from './probe.js';
import type { Profile, ProfileName } from './profile.js';
import type { ReportOptions } from './report.js';
import type { Rule } from './rule.js';

export interface CheckOptions {
  model?: string;
  profile: ProfileName;
  only?: readonly string[];
  keyFrom?: string;
  secondKeyFrom?: string;
  budget: number;
  /** The longest wait for one answer, in seconds. */
  timeout: number;
  yes?: boolean;
  verbose?: boolean;
  json?: boolean;
  list?: boolean;
}

/** `turnwire check URL`: how well a server speaks the Responses API, rule by rule. */
export async function check(io: Io, url: string | undefined, options: CheckOptions): Promise<number> {
  const stdout = new Printer(io.stdout, io.env);
  const chosen = chosenRules(options.only);
  const profile = profileOf(options.profile);
  if (options.list) {
    list(stdout, chosen, profile);
    return exitStatus.ok;
  }
  if (url === undefined)
    throw new UsageError('name the base URL of the server, such as http://127.0.0.1:8080/v1; --list shows the rules');
  const baseUrl = baseUrlOf(url);
  refuseProxy(baseUrl, io.env);
  const key = keyAt(io, baseUrl.href, options.keyFrom);
  const second = options.secondKeyFrom === undefined ? undefined : keyAt(io, baseUrl.href, options.secondKeyFrom);
  const target: Target = { baseUrl, key: key?.key, secondKey: second?.key, timeoutMs: options.timeout * 1000 };
  const spending = new Spending(options.budget);
  if (!(await agreed(io, target, chosen, profile, spending, options))) return exitStatus.failed;
  await expectAnybody(target);

  const interrupts = new Interrupts(io);
  try {
    const run: Run = { target, profile, model: options.model ?? 'none', spending, stored: new Set(), plain: new Map() };
    const report: ReportOptions = {
      again: (rule) => commandFor(url, rule, options),
      keyVariable: key?.variable,
      verbose: options.verbose ?? false,
    };
    const results = await tryRules(run, chosen, {
      signal: interrupts.signal,
      onResult: (result) => {
        if (!options.json) printResult(stdout, target, result, report);
      },
    });
    if (options.json) stdout.line(reportInJson(run, results, report));
    else printSummary(stdout, run, results);
    if (interrupts.received !== undefined) return signalStatus(interrupts.received);
    return results.some(({ verdict }) => verdict.kind === 'failed') ? exitStatus.failed : exitStatus.ok;
  } finally {
    interrupts.end();
  }
}

/** The most tokens that the chosen rules can spend. */
function boundOf(chosen: readonly Rule[], profile: Profile, spending: Spending): number {
  const tried = chosen.filter((rule) => exceptionOf(rule, profile) === undefined);
  const own = tried.reduce((sum, { turns = 0 }) => sum + turns, 0);
  const plain = new Set(tried.flatMap(({ plain = [] }) => plain)).size;
  return spending.bound(own + plain);
}

/** Asks before any token is spent, and says how many it may be. */
async function agreed(
  io: Io,
  { baseUrl }: Target,
  chosen: readonly Rule[],
  profile: Profile,
  spending: Spending,
  { model, yes }: CheckOptions,
): Promise<boolean> {
  const bound = boundOf(chosen, profile, spending);
  if (bound === 0) return true;
  if (model === undefined) throw new UsageError('these rules ask a model: name it with --model');
  if (bound > spending.budget)
    throw new UsageError(
      `these rules may spend ${thousands(bound)} tokens, more than the budget of ${thousands(spending.budget)}: raise it with --budget, or choose rules with --only`,
    );
  new Printer(io.stderr, io.env).line(
    `${chosen.length} ${chosen.length === 1 ? 'rule' : 'rules'} on ${model} at ${baseUrl.origin}: at most ${thousands(bound)} tokens, more where the model reasons beyond its limit.`,
  );
  return yes === true || agreesToSpend(io);
}

/** Fails with one sentence when there is no server, instead of once for each rule. */
async function expectAnybody(target: Target): Promise<void> {
  try {
    await exchange(target, new Trace(secretsOf(target)), { method: 'GET', path: 'models' });
  } catch (error) {
    // A server that keeps silent or hangs up at this path may still answer at others.
    if (
      error instanceof NoAnswer &&
      ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(error.code ?? '')
    )
      throw Object.assign(new Error(`no server answers at ${target.baseUrl.origin}: ${error.message}`), {
        code: error.code,
      });
  }
}

function list(stdout: Printer, chosen: readonly Rule[], profile: Profile): void {
  for (const rule of chosen) {
    const exception = exceptionOf(rule, profile);
    const turns = (rule.turns ?? 0) + (rule.plain?.length ?? 0);
    stdout.line(
      `${rule.id.padEnd(30)} ${rule.certainty.padEnd(10)} ${rule.protocol.join(', ').padEnd(10)} ${turns === 0 ? 'free' : `${turns} turns`.padEnd(4)}  ${rule.title}` +
        (exception === undefined ? '' : ` (not for ${profile.name}: ${exception})`),
    );
  }
  stdout.line(`\n${chosen.length} of ${rules.length} rules.`);
}

function commandFor(url: string, { id }: Rule, { model, profile, keyFrom, secondKeyFrom }: CheckOptions): string {
  return [
    `turnwire check ${quoted(url)} --only ${id} --profile ${profile} --yes`,
    ...(model === undefined ? [] : [`--model ${quoted(model)}`]),
    ...(keyFrom === undefined ? [] : [`--key-from ${quoted(keyFrom)}`]),
    ...(secondKeyFrom === undefined ? [] : [`--second-key-from ${quoted(secondKeyFrom)}`]),
  ].join(' ');
}
