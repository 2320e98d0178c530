import { exchange, NoAnswer } from '../probe/http.js';
import { ProbeSocket, UpgradeRefused } from '../probe/socket.js';
import { ms } from './finding.js';
import type { IncomingHttpHeaders } from 'node:http';
import type { Target } from '../probe/target.js';
import type { Trace } from '../probe/trace.js';
import type { Finding } from './finding.js';

const skewMs = 60_000;

/** Headers by which servers and proxies name themselves. */
const marks = ['server', 'via', 'cf-ray', 'x-cache', 'x-squid-error', 'x-envoy-upstream-service-time', 'x-amz-cf-id'];

export function whoAnswered(headers: IncomingHttpHeaders): string {
  const found = marks.filter((name) => headers[name] !== undefined).map((name) => `${name}: ${String(headers[name])}`);
  return found.length === 0 ? 'no header names the sender' : found.join(', ');
}

/** Sends an ordinary request: finds out who answers, whether the key is right, and whether both clocks agree. */
export async function lookAtHttp(target: Target, trace: Trace): Promise<readonly Finding[]> {
  let answer;
  try {
    answer = await exchange(target, trace, { method: 'GET', path: 'models' });
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return [{ id: 'http', level: 'problem', text: `HTTP has no answer: ${error.message}` }];
  }
  const { status, headers } = answer;
  const took = answer.headAt - answer.sentAt;
  const findings: Finding[] = [];
  const by = whoAnswered(headers);
  if (status === 401 || status === 403)
    findings.push({
      id: 'key',
      level: 'problem',
      text: `GET /models is refused with ${status} (${by})`,
      advice:
        target.key === undefined ? 'name the key with --key-from VARIABLE' : 'is the key right, and for this address?',
    });
  else if (status >= 500)
    findings.push({
      id: 'http',
      level: 'problem',
      text: `GET /models is answered with ${status} (${by})`,
      advice: 'a proxy in front does not reach the server, or the server itself fails',
    });
  else
    findings.push({
      id: 'http',
      level: 'ok',
      text: `HTTP answers with ${status} in ${ms(took)} (${by})`,
      values: { ms: took, status },
    });
  const date = Date.parse(headers.date ?? '');
  if (!Number.isNaN(date)) {
    const skew = Date.now() - date;
    if (Math.abs(skew) > skewMs)
      findings.push({
        id: 'clock',
        level: 'problem',
        text: `the clocks differ by ${ms(Math.abs(skew))}: this machine is ${skew > 0 ? 'ahead' : 'behind'}`,
        advice: 'set the clock: tokens, certificates and retry-after dates go wrong',
        values: { ms: skew },
      });
    else findings.push({ id: 'clock', level: 'ok', text: 'the clocks agree' });
  }
  return findings;
}

/** Asks for an upgrade: finds out whether a WebSocket opens, and who refuses it. */
export async function lookAtUpgrade(target: Target, trace: Trace): Promise<{ finding: Finding; opens: boolean }> {
  const began = performance.now();
  try {
    const socket = await ProbeSocket.open(target, trace);
    const took = performance.now() - began;
    const pong = await socket.ping(Math.min(5000, target.timeoutMs));
    await socket.close(2000);
    const answered = pong === undefined ? ', and answers no ping' : `, a ping takes ${ms(pong)}`;
    return {
      opens: true,
      finding: {
        id: 'upgrade',
        level: pong === undefined ? 'problem' : 'ok',
        text: `a WebSocket opens in ${ms(took)}${answered}`,
        values: { ms: took },
      },
    };
  } catch (error) {
    if (error instanceof UpgradeRefused) return { opens: false, finding: await refusal(target, trace, error) };
    if (!(error instanceof NoAnswer)) throw error;
    return {
      opens: false,
      finding: {
        id: 'upgrade',
        level: 'problem',
        text: `the upgrade has no answer: ${error.message}`,
        advice: 'something on the way drops WebSocket upgrades; turns go over SSE',
      },
    };
  }
}

/** Finds out who refused the upgrade. Where the answer is that to a plain GET, a proxy has removed the header, and the server saw no upgrade. */
async function refusal(target: Target, trace: Trace, { status, headers }: UpgradeRefused): Promise<Finding> {
  const plain = await exchange(target, trace, { method: 'GET', path: 'responses' }).catch(() => undefined);
  const by = whoAnswered(headers);
  const base = { id: 'upgrade', level: 'problem' as const, text: `the upgrade is refused with ${status} (${by})` };
  const between = headers['via'] !== undefined || /nginx|haproxy|varnish|lighttpd|caddy|envoy|apache/i.test(by);
  const values = { status };
  if (status === 401 || status === 403)
    return { ...base, values, advice: 'the key, or a rule of a proxy: does the same key work over HTTP?' };
  if (plain?.status === status && between)
    return {
      ...base,
      id: 'upgrade-dropped',
      values,
      advice:
        'a plain GET is answered the same: the proxy does not pass the upgrade on. nginx needs proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade and proxy_set_header Connection "upgrade"',
    };
  if (status === 426 || status === 404 || status === 405 || status === 501)
    return { ...base, level: 'note', values, advice: 'the server has no WebSocket here: turns go over SSE' };
  return { ...base, values, advice: 'turns go over SSE while this lasts' };
}
