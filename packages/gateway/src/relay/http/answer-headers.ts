import type { RelayTurn } from '@turnwire/client/relay';
import type { ServerResponse } from 'node:http';

/** Tell what carried a turn, and why. */
export function turnHeaders({ transport, plan, planReason, attempts }: RelayTurn['report']): Record<string, string> {
  return {
    'x-turnwire-transport': transport,
    'x-turnwire-plan': plan,
    ...(planReason !== undefined && { 'x-turnwire-plan-reason': planReason }),
    'x-turnwire-attempts': String(attempts.length),
  };
}

/** What a server or a field's name brings along may not be fit for a header: an answer does not fail for that. */
export function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      response.setHeader(name, value);
    } catch {
      // Left out.
    }
  }
}
