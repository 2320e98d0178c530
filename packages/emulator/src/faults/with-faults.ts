import type { Clock } from '../base/clock.js';
import { endsTurn } from '../wire/terminal.js';
import { Refusal } from '../wire/refusal.js';
import { isRecord, type Frame, type ResponseObject } from '../wire/wire.js';
import { editOf, type EventEdit } from './event-edit.js';
import { ShapedError } from './error-shape.js';
import { describeFault, parseFaults, type Fault } from './fault.js';
import { strikesBeforeTurn, type Faults } from './rule.js';
import type { Sink } from './sink.js';
import { applyFault, isSocketFault } from './apply-fault.js';

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
    throw refused(error instanceof Error ? error.message : String(error));
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

export interface FaultContext {
  readonly clock: Clock;
  /** Called once for each fault, in its text form, when the fault strikes. */
  readonly onFault: (fault: string) => void;
  readonly forget: (responseId: unknown) => void;
}

/** Wraps faults around the sink of a turn. Without faults the sink itself is returned. */
export function withFaults<S extends Sink>(
  sink: S,
  faults: readonly Fault[],
  body: unknown,
  { clock, onFault, forget }: FaultContext,
): S {
  const { connectionControl, signal, transport } = sink;
  if (faults.length === 0 && !connectionControl.isThrottled()) return sink;
  const edits = faults.flatMap((fault) => {
    const edit = editOf(fault);
    return edit === undefined ? [] : [reportingFirstChange(edit, () => onFault(describeFault(fault)))];
  });
  for (const fault of faults) {
    if (fault.fault !== 'forget') continue;
    forget(isRecord(body) ? body['previous_response_id'] : undefined);
    onFault(describeFault(fault));
  }
  let number = 0;
  let created: unknown;
  const done = new Set<Fault>();

  /** Applies the faults that strike after this many events. Each fault strikes once. `next` is the event that is about to be sent. */
  const strikeAfter = async (place: number | 'terminal', next: Frame | undefined): Promise<void> => {
    for (const fault of faults) {
      if (done.has(fault) || !('after' in fault) || fault.after !== place) continue;
      done.add(fault);
      const { fault: name } = fault;
      if (name !== 'wrong-id' && name !== 'stray') onFault(describeFault(fault));
      if (isSocketFault(fault)) await applyFault(fault, connectionControl, clock, signal);
      if (name === 'cut' && next !== undefined) {
        connectionControl.cut(transport === 'json' ? bodyOf(next) : next, fault.bytes);
        await applyFault({ fault: fault.reset ? 'reset' : 'end', after: 0 }, connectionControl, clock, signal);
      }
      if (name === 'error') {
        // A response that ends in an error cannot be continued, even if its terminal event was the next event.
        if (isRecord(created)) forget(created['id']);
        throw new ShapedError(fault, created, number);
      }
      if (name === 'connection-limit') {
        const limit = new ConnectionLimitReached(fault.code);
        if (place !== 'terminal') throw limit;
        await sink.send(limit.frame());
        connectionControl.close(fault.code, '');
      }
    }
  };

  const sendNow = async (frame: Frame): Promise<void> => {
    if (connectionControl.isThrottled() && transport !== 'json') await connectionControl.sendThrottled(frame, signal);
    else await sink.send(frame);
  };

  const send = async (frame: Frame): Promise<void> => {
    const last = endsTurn(frame);
    await strikeAfter(number, frame);
    number += 1;
    if (frame.type === 'response.created') created = responseOf(frame);
    let frames: readonly Frame[] = [frame];
    for (const edit of edits) frames = frames.flatMap((each) => edit({ frame: each, number, last }));
    for (const each of frames) await sendNow(each);
    if (!last) return;
    await strikeAfter(number, undefined);
    await strikeAfter('terminal', undefined);
  };

  const refuse = async (refusal: Refusal): Promise<void> => {
    if (number === 0) {
      try {
        await strikeAfter(0, refusal.frame());
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Refusal) return refuse(error);
        throw error;
      }
    }
    const hasBegun = number > 0 || (refusal instanceof ShapedError && refusal.shape === 'failed');
    if (transport === 'sse' && hasBegun) {
      await sink.send(refusal.frame());
      sink.finish(undefined);
    } else {
      await sink.refuse(refusal);
    }
    if (refusal instanceof ConnectionLimitReached) connectionControl.close(refusal.closeCode, '');
  };

  const finish = (response: ResponseObject | undefined): void => {
    sink.finish(transport === 'json' ? editedResponse(response, edits) : response);
  };

  return { ...sink, send, finish, refuse };
}

/** The error of the connection's age limit (P74), which the fault `connection-limit` causes at any age. */
class ConnectionLimitReached extends Refusal {
  readonly closeCode: number;

  constructor(closeCode: number) {
    super('Responses websocket connection limit reached (60 minutes). Create a new websocket connection to continue.', {
      code: 'websocket_connection_limit_reached',
    });
    this.closeCode = closeCode;
  }
}

/** The same edit, which calls `notice` the first time that it changes an event. */
function reportingFirstChange(edit: EventEdit, notice: () => void): EventEdit {
  let isReported = false;
  return (event) => {
    const frames = edit(event);
    if (!isReported && (frames.length !== 1 || frames[0] !== event.frame)) {
      isReported = true;
      notice();
    }
    return frames;
  };
}

/** The response of a JSON answer after the edits, which see it as the terminal event of the turn. */
function editedResponse(response: ResponseObject | undefined, edits: readonly EventEdit[]): ResponseObject | undefined {
  if (response === undefined) return undefined;
  let frames: readonly Frame[] = [{ type: `response.${response.status}`, text: JSON.stringify({ response }) }];
  for (const edit of edits) frames = frames.flatMap((frame) => edit({ frame, number: 1, last: true }));
  const changed = frames[0] === undefined ? undefined : responseOf(frames[0]);
  return isRecord(changed) ? { ...response, ...changed } : response;
}

function responseOf(frame: Frame): unknown {
  const event: unknown = JSON.parse(frame.text);
  return isRecord(event) ? event['response'] : undefined;
}

function bodyOf(frame: Frame): Frame {
  return { type: frame.type, text: JSON.stringify(responseOf(frame) ?? JSON.parse(frame.text)) };
}
