import type { RelayTurn } from '@turnwire/client/relay';
import type { ServerResponse } from 'node:http';

/** Headers that tell the client which transport and which plan the turn had, and why. */
export function turnHeaders({ transport, plan, planReason, attempts }: RelayTurn['report']): Record<string, string> {
  return {
    'x-turnwire-transport': transport,
    'x-turnwire-plan': plan,
    ...(planReason !== undefined && { 'x-turnwire-plan-reason': planReason }),
    'x-turnwire-attempts': String(attempts.length),
  };
}

/** Sets headers, and leaves out those whose names or values HTTP does not allow: a server's text can have such characters, and must not fail the answer. */
export function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      response.setHeader(name, value);
    } catch {
      // The header is left out.
    }
  }
}
