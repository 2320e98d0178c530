import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from './refusal.js';
import { isRecord } from './wire.js';

/** The value of the header `OpenAI-Beta` that a client needs for `multi_agent` and `response.inject` (P4). */
export const multiAgentBeta = 'responses_multi_agent=v1';

export function hasMultiAgentBeta({ 'openai-beta': betas }: IncomingHttpHeaders): boolean {
  const named = Array.isArray(betas) ? betas : [betas ?? ''];
  return named.some((list) => list.split(',').some((beta) => beta.trim() === multiAgentBeta));
}

/** The refusal of a create that has `multi_agent` and came without the beta header; undefined for any other create. */
export function refuseWithoutBeta(body: unknown, hasBeta: boolean): Refusal | undefined {
  if (hasBeta || !isRecord(body) || body['multi_agent'] === undefined || body['multi_agent'] === null) return undefined;
  const message = `'multi_agent' needs the header 'OpenAI-Beta: ${multiAgentBeta}'.`;
  return new Refusal(message, { code: 'unknown_parameter', param: 'multi_agent' });
}
