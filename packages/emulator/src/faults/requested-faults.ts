import { Refusal } from '../wire/refusal.js';
import { isRecord } from '../wire/wire.js';
import { parseFaults, type Fault } from './fault.js';
import { strikesBeforeTurn, type Faults } from './rule.js';
import type { Sink } from './sink.js';
import { messageOf } from '../base/thrown.js';

/** The header and the metadata field in which a request may ask for faults. */
export const faultHeader = 'x-turnwire-fault';
export const faultField = 'turnwire_fault';

/** The faults of one turn: those that its request asks for, then those of the rules. @throws Refusal for a fault that does not exist */
export function faultsOfTurn(faults: Faults, sink: Sink, turn: number, body: unknown): readonly Fault[] {
  const { connection, transport, connectionControl } = sink;
  const requested = [...connectionControl.firstTurnFaults.splice(0), ...requestedInBody(body, transport)];
  return [...requested, ...faults.duringTurn({ connection, transport, turn, body })];
}

function requestedInBody(body: unknown, transport: Sink['transport']): readonly Fault[] {
  const metadata = isRecord(body) ? body['metadata'] : undefined;
  refuseMisspelt(Object.keys(isRecord(metadata) ? metadata : {}), faultField, 'metadata.');
  const text = isRecord(metadata) ? metadata[faultField] : undefined;
  if (typeof text !== 'string') return [];
  return requestedFaults(
    text,
    `metadata.${faultField}`,
    transport === 'websocket',
    (fault) => !strikesBeforeTurn(fault),
  );
}

/** @throws Refusal for a name like `turnwire_faults`, which would ask for a fault in vain */
export function refuseMisspelt(names: readonly string[], right: string, prefix = ''): void {
  const like = right.slice(0, right.lastIndexOf('fault') + 2);
  const param = names.find((name) => name !== right && name.startsWith(like));
  if (param === undefined) return;
  const message = `No fault can be asked for in '${prefix}${param}'; did you mean '${prefix}${right}'.`;
  throw new Refusal(message, { code: 'invalid_fault', param: `${prefix}${param}` });
}

/** Reads the faults that a request names in `param`. A fault that is not `allowed` there is refused, because it would strike too late. */
export function requestedFaults(
  text: string,
  param: string,
  onSocket: boolean,
  allowed: (fault: Fault) => boolean,
): readonly Fault[] {
  const refused = (why: string) =>
    new Refusal(`Invalid value for '${param}': ${why}.`, { code: 'invalid_fault', param });
  let requested: readonly Fault[];
  try {
    requested = parseFaults(text);
  } catch (error) {
    throw refused(messageOf(error));
  }
  if (requested.some(({ fault }) => fault === 'connect-rate')) {
    throw refused('the fault "connect-rate" counts the upgrades of all clients; write a rule for it');
  }
  if (!onSocket && requested.some(({ fault }) => fault === 'no-pong')) {
    throw refused('the fault "no-pong" leaves pings unanswered, and HTTP has none; ask for it on a WebSocket');
  }
  const late = requested.find((fault) => !allowed(fault));
  if (late === undefined) return requested;
  throw refused(
    `the fault "${late.fault}" strikes before the turn begins; ask for it with the header ${faultHeader}, or strike after: 0`,
  );
}
