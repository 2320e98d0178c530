import { TurnwireError } from '../protocol/errors/errors.js';
import type { Response } from '../protocol/response.js';

/**
 * The parent that the beginning of a response must name. A server that takes `previous_response_id` and ignores it answers another input than the
 * caller's.
 */
export interface ExpectedParent {
  responseId: string;
  /** A server that names no parent has ignored it. */
  required: boolean;
}

/** Whether the first event of a response names another parent, or none. */
export function ignoresParent({ responseId, required }: ExpectedParent, response: Response | undefined): boolean {
  const given = response?.previous_response_id;
  return given === undefined ? required : given !== responseId;
}

export function chainIgnoredError({ responseId }: ExpectedParent, response: Response | undefined): TurnwireError {
  const given: unknown = response?.previous_response_id;
  return new TurnwireError(
    'chain_ignored',
    `the server takes previous_response_id and ignores it: told to continue ${responseId}, it says ${given === undefined ? 'nothing' : JSON.stringify(given)} in response.created`,
    { phase: 'sent', responseId: typeof response?.id === 'string' ? response.id : undefined },
  );
}
