import pino from 'pino';
import { textField } from '../relay/create.js';
import type { GatewayTurn } from '../relay/turn.js';

/** Where lines go. */
export interface LogOutput {
  write(line: string): unknown;
}

/** One JSON line for each turn: what carried it, what it has cost and saved. Nothing of contents, and no key. */
export class TurnLog {
  readonly #log: pino.Logger;

  constructor(output: LogOutput) {
    this.#log = pino(
      { base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' },
      { write: (line) => void output.write(line) },
    );
  }

  settled(turn: GatewayTurn): void {
    const { principal, create, downstream, headers } = turn.options;
    const report = turn.report;
    const { traceparent } = headers;
    this.#log.info(
      {
        principal: principal.name,
        model: textField(create.params, 'model')?.slice(0, 200),
        downstream,
        transport: report.transport,
        plan: report.plan,
        reason: report.planReason,
        fallback: report.fallback === undefined ? undefined : true,
        outcome: report.outcome ?? 'refused',
        error: report.attempts.at(-1)?.error,
        attempts: report.attempts.length,
        client_bytes: create.bytes,
        upstream_bytes: report.sentBytes,
        saved_bytes: Math.max(0, create.bytes - report.sentBytes),
        first_event_ms: rounded(report.firstEventMs),
        total_ms: rounded(turn.ms),
        response_id: report.responseId,
        previous_response_id: textField(create.params, 'previous_response_id')?.slice(0, 200),
        usage: report.usage,
        ...(traceparent !== undefined && { traceparent: traceparent.slice(0, 200) }),
      },
      'turn',
    );
  }
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 10) / 10;
}
