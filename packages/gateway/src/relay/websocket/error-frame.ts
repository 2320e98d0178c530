import { Refusal } from '../../base/refusal.js';
import { refusalAnswer } from '../failure.js';
import type { TurnwireError } from '@turnwire/client';
import type { RelayRefusal } from '@turnwire/client/relay';

/** The error frame of a turn that did not begin: that of the upstream, where it sent one. */
export function refusalFrame(refusal: RelayRefusal): string {
  if (refusal.name === 'refused') {
    const raw = refusal.server?.raw;
    if (isErrorFrame(raw)) return JSON.stringify(withoutStreamId(raw));
  }
  const { status, headers, body } = refusalAnswer(refusal);
  const error = errorIn(body) ?? { type: 'server_error', code: null, message: body.slice(0, 2000), param: null };
  const shown = Object.fromEntries(
    Object.entries(headers).filter(([name]) => name !== 'content-type' && name !== 'content-length'),
  );
  return JSON.stringify({ type: 'error', status, error, ...(Object.keys(shown).length > 0 && { headers: shown }) });
}

/** The error frame of a turn whose answer broke off. The turn has run, so the frame must not invite the client to ask again and pay twice. */
export function brokenFrame(error: unknown): string {
  const { code, message } = error as Partial<TurnwireError>;
  const said = `the answer broke off, and the turn has run: ${message ?? 'the upstream was lost'}`;
  return new Refusal(said, { status: 400, type: 'server_error', code: 'turn_outcome_unknown', param: code ?? null })
    .frame;
}

function isErrorFrame(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && (raw as { type?: unknown }).type === 'error';
}

/** Removes the lane's name on the upstream's connection: the client's lanes have other names. */
function withoutStreamId(frame: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(frame).filter(([name]) => name !== 'stream_id'));
}

function errorIn(body: string): object | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === 'object' && error !== null ? error : undefined;
  } catch {
    return undefined;
  }
}
