import { baseUrlOf, secretsOf } from '../probe/target.js';
import { redacted, Trace } from '../probe/trace.js';
import { NoAnswer } from '../probe/http.js';
import { UpgradeRefused } from '../probe/socket.js';
import { keyAt } from '../options/endpoint-key.js';
import { exitStatus } from '../process/exit-status.js';
import { agreesToSpend } from '../run/prompt.js';
import { printable, Printer } from '../process/terminal.js';
import { adviceForClients } from './advice.js';
import { reach } from './connection.js';
import { lookAtBodies, lookAtFrames, lookAtIdle } from './limits.js';
import { lookAtHttp, lookAtUpgrade } from './server.js';
import { lookAtTurns, tokensOfTurn, turnsOfLook } from './turns.js';
import type { Io } from '../process/io.js';
import type { Target } from '../probe/target.js';
import type { Finding } from './finding.js';

export interface DoctorOptions {
  model?: string;
  keyFrom?: string;
  /** The seconds for which a WebSocket is left idle. */
  wait?: number;
  /** The size of the body and of the frame that are sent, in MiB. */
  size: number;
  /** The longest wait for one answer, in seconds. */
  timeout: number;
  yes?: boolean;
  json?: boolean;
}

/** `turnwire doctor URL`: finds out why a server is slow, reached over SSE alone, or cut off. */
export async function doctor(io: Io, url: string, options: DoctorOptions): Promise<number> {
  const stdout = new Printer(io.stdout, io.env);
  const baseUrl = baseUrlOf(url);
  const key = keyAt(io, baseUrl.href, options.keyFrom);
  const target: Target = { baseUrl, key: key?.key, secondKey: undefined, timeoutMs: options.timeout * 1000 };
  if (!(await agreed(io, options))) return exitStatus.failed;
  const findings: Finding[] = [];
  let socketOpens = false;
  for await (const { finding: found, opens } of examine(io, target, options)) {
    const finding = withoutSecrets(found, secretsOf(target));
    findings.push(finding);
    socketOpens ||= opens === true;
    if (!options.json) print(stdout, finding);
  }
  const problems = findings.filter(({ level }) => level === 'problem').length;
  const advice = adviceForClients(baseUrl, socketOpens, key?.variable);
  if (options.json)
    stdout.line(JSON.stringify({ url: baseUrl.href, problems, websocket: socketOpens, findings, clients: advice }));
  else {
    stdout.line(`\n${problems === 0 ? 'No problem' : problems === 1 ? '1 problem' : `${problems} problems`} found.\n`);
    for (const line of advice) stdout.line(stdout.style('dim', line));
  }
  return problems === 0 ? exitStatus.ok : exitStatus.failed;
}

/** Removes secrets from a finding: some findings quote the server. */
function withoutSecrets(finding: Finding, secrets: readonly string[]): Finding {
  const { text, advice } = finding;
  return {
    ...finding,
    text: redacted(text, secrets),
    ...(advice !== undefined && { advice: redacted(advice, secrets) }),
  };
}

/** Looks at each step, from the name to the idle WebSocket, and stops at the first that fails. */
async function* examine(
  io: Io,
  target: Target,
  { model, size, wait }: DoctorOptions,
): AsyncGenerator<{ finding: Finding; opens?: boolean }> {
  const trace = new Trace(secretsOf(target));
  const { findings, connect } = await reach(target, io.env);
  for (const finding of findings) yield { finding };
  if (connect === undefined) return;
  const reached: Target = { ...target, connect };
  for (const finding of await lookAtHttp(reached, trace)) yield { finding };
  const upgrade = await lookAtUpgrade(reached, trace);
  yield upgrade;
  const looks: (() => Promise<Finding | readonly Finding[]>)[] = [
    ...(model === undefined ? [] : [() => lookAtTurns(reached, trace, model, upgrade.opens)]),
    () => lookAtBodies(reached, trace, size),
    ...(upgrade.opens ? [() => lookAtFrames(reached, trace, size)] : []),
    ...(upgrade.opens && wait !== undefined ? [() => lookAtIdle(reached, trace, wait * 1000)] : []),
  ];
  for (const look of looks) {
    try {
      for (const finding of [await look()].flat()) yield { finding };
    } catch (error) {
      if (!(error instanceof NoAnswer || error instanceof UpgradeRefused)) throw error;
      yield {
        finding: {
          id: 'lost',
          level: 'problem',
          text: `a connection that opened before does not any more: ${error.message}`,
        },
      };
    }
  }
  if (model === undefined)
    yield {
      finding: {
        id: 'turns',
        level: 'note',
        text: 'no turn was asked for: --model NAME shows where the time goes, and whether SSE is held back',
      },
    };
}

async function agreed(io: Io, { model, yes }: DoctorOptions): Promise<boolean> {
  if (model === undefined) return true;
  new Printer(io.stderr, io.env).line(
    `${turnsOfLook} turns of ${model}: at most ${turnsOfLook * tokensOfTurn} tokens.`,
  );
  return yes === true || agreesToSpend(io);
}

function print(stdout: Printer, { level, text, advice }: Finding): void {
  const mark = {
    ok: stdout.style('green', 'ok  '),
    note: stdout.style('yellow', 'note'),
    problem: stdout.style('red', 'FAIL'),
  };
  stdout.line(`${mark[level]} ${printable(text)}`);
  if (advice !== undefined) stdout.line(`     ${printable(advice)}`);
}
