import { addressOf } from '../probe/target.js';
import { printable } from '../process/terminal.js';
import type { HttpRequest } from '../probe/http.js';
import type { Target } from '../probe/target.js';
import type { Printer } from '../process/terminal.js';
import type { Run } from './probe.js';
import type { Rule } from './rule.js';
import type { Result } from './runner.js';

const page = 'docs/protocol.md';

export interface ReportOptions {
  /** The command that runs one rule again. */
  again: (rule: Rule) => string;
  /** The environment variable that holds the key. */
  keyVariable: string | undefined;
  verbose: boolean;
}

const marks = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' } as const;

/** Prints one line for a rule, and below a failure its trace. */
export function printResult(stdout: Printer, target: Target, { rule, verdict }: Result, options: ReportOptions): void {
  const { kind } = verdict;
  if (kind === 'skipped' && !options.verbose) return;
  const colour = { passed: 'green', failed: 'red', skipped: 'dim' } as const;
  const mark = stdout.style(colour[kind], marks[kind]);
  stdout.line(
    `${mark} ${rule.id.padEnd(30)} ${rule.title}${kind === 'skipped' ? ` (${printable(verdict.reason)})` : ''}`,
  );
  if (kind !== 'failed') return;
  stdout.line(`     ${printable(verdict.reason)}`);
  stdout.line(stdout.style('dim', `     ${rule.certainty}; docs/protocol.md ${rule.protocol.join(', ')}`));
  for (const frame of verdict.frames) stdout.line(stdout.style('dim', `     ${printable(frame)}`));
  stdout.line(`     again: ${repeatLine(target, rule, verdict.request, options)}`);
}

/** Prints the totals of a run, in two lines. */
export function printSummary(stdout: Printer, run: Run, results: readonly Result[]): void {
  const count = (kind: Result['verdict']['kind']): number =>
    results.filter(({ verdict }) => verdict.kind === kind).length;
  const { inputTokens, outputTokens } = run.spending;
  stdout.line(
    `\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped; profile ${run.profile.name}; ` +
      `${inputTokens} input and ${outputTokens} output tokens.`,
  );
}

/** The whole report as JSON. */
export function reportInJson(run: Run, results: readonly Result[], options: ReportOptions): string {
  const { inputTokens, outputTokens } = run.spending;
  const count = (kind: Result['verdict']['kind']): number =>
    results.filter(({ verdict }) => verdict.kind === kind).length;
  return JSON.stringify({
    url: run.target.baseUrl.href,
    profile: run.profile.name,
    model: run.model,
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    usage: { input_tokens: inputTokens, output_tokens: outputTokens },
    rules: results.map(({ rule, verdict }) => ({
      id: rule.id,
      title: rule.title,
      certainty: rule.certainty,
      protocol: rule.protocol.map((id) => `${page}#${id.toLowerCase()}`),
      verdict: verdict.kind,
      ...(verdict.kind === 'passed' ? {} : { reason: verdict.reason }),
      ...(verdict.kind === 'failed'
        ? { frames: verdict.frames, repeat: repeatLine(run.target, rule, verdict.request, options) }
        : {}),
    })),
  });
}

/** A command that repeats a failure: curl for one exchange over HTTP, this program for anything else. */
function repeatLine(target: Target, rule: Rule, request: HttpRequest | undefined, options: ReportOptions): string {
  if (request === undefined || (request.body !== undefined && typeof request.body !== 'string'))
    return options.again(rule);
  const { method, path, body, headers = {}, credential = 'own' } = request;
  // The ids of one run do not exist in the next.
  if (credential === 'second' || path !== 'responses' || (body !== undefined && /"resp_[^o0]/.test(body)))
    return options.again(rule);
  const key = {
    own: target.key === undefined ? undefined : `$${options.keyVariable ?? 'KEY'}`,
    none: undefined,
    wrong: 'sk-this-key-is-of-nobody',
  }[credential];
  return [
    'curl -sSN',
    method === 'HEAD' ? '-I' : method === 'POST' ? '' : `-i`,
    quoted(addressOf(target, path).href),
    ...(key === undefined ? [] : ['-H', `"authorization: Bearer ${key}"`]),
    ...(body === undefined ? [] : ['-H', quoted('content-type: application/json')]),
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', quoted(`${name}: ${value}`)]),
    ...(body === undefined ? [] : ['-d', quoted(body)]),
  ]
    .filter((word) => word !== '')
    .join(' ');
}

/** Quotes a text for a POSIX shell. */
export function quoted(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
