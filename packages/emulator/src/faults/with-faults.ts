import { endsTurn } from '../wire/terminal.js';
import { Refusal } from '../wire/refusal.js';
import { isRecord, type Frame, type ResponseObject } from '../wire/wire.js';
import { ConnectionLimitReached } from './connection-limit.js';
import { ShapedError } from './error-shape.js';
import { EventEdits } from './event-edits.js';
import type { FaultContext } from './fault-context.js';
import { describeFault, type Fault } from './fault.js';
import type { Sink } from './sink.js';
import { Strikes } from './strikes.js';

/** Wraps faults around the sink of a turn. Without faults the sink itself is returned. */
export function withFaults<S extends Sink>(sink: S, faults: readonly Fault[], body: unknown, context: FaultContext): S {
  if (faults.length === 0 && !sink.connectionControl.isThrottled()) return sink;
  forgetContinued(faults, body, context);
  const faulty = new FaultySink(sink, faults, context);
  return {
    ...sink,
    send: (frame: Frame) => faulty.send(frame),
    refuse: (refusal: Refusal) => faulty.refuse(refusal),
    finish: (response: ResponseObject | undefined) => faulty.finish(response),
  };
}

/** Applies the faults `forget`, which strike before the turn looks for the response that it continues. */
function forgetContinued(faults: readonly Fault[], body: unknown, { forget, onFault }: FaultContext): void {
  for (const fault of faults) {
    if (fault.fault !== 'forget') continue;
    forget(isRecord(body) ? body['previous_response_id'] : undefined);
    onFault(describeFault(fault));
  }
}

/** The sink of a turn with its faults: some strike between two events, others edit the events. */
class FaultySink implements Pick<Sink, 'send' | 'refuse' | 'finish'> {
  readonly #sink: Sink;
  readonly #strikes: Strikes;
  readonly #edits: EventEdits;

  constructor(sink: Sink, faults: readonly Fault[], context: FaultContext) {
    this.#sink = sink;
    this.#strikes = new Strikes(faults, sink, context);
    this.#edits = new EventEdits(faults, sink.transport, context.onFault);
  }

  async send(frame: Frame): Promise<void> {
    const last = endsTurn(frame);
    await this.#strikes.beforeEvent(frame, last);
    // The events of a JSON answer are not sent, so its body is edited when it ends.
    const isSent = this.#sink.transport !== 'json';
    const frames = isSent ? this.#edits.apply({ frame, number: this.#strikes.events, last }) : [frame];
    for (const each of frames) await this.#sendNow(each);
    if (last) await this.#strikes.afterLastEvent();
  }

  async refuse(refusal: Refusal): Promise<void> {
    const { transport, connectionControl, signal } = this.#sink;
    const { events } = this.#strikes;
    if (events === 0) {
      try {
        await this.#strikes.beforeRefusal(refusal);
      } catch (error) {
        if (signal.aborted) return;
        // The error of a fault takes the place of the refusal.
        if (error instanceof Refusal) return this.refuse(error);
        throw error;
      }
    }
    const hasBegun = events > 0 || (refusal instanceof ShapedError && refusal.shape === 'failed');
    if (transport === 'sse' && hasBegun) {
      await this.#sink.send(refusal.frame());
      this.#sink.finish(undefined);
    } else {
      await this.#sink.refuse(refusal);
    }
    if (refusal instanceof ConnectionLimitReached) connectionControl.close(refusal.closeCode, '');
  }

  finish(response: ResponseObject | undefined): void {
    const isEdited = this.#sink.transport === 'json' && response !== undefined;
    this.#sink.finish(isEdited ? this.#edits.response(response, this.#strikes.events) : response);
  }

  async #sendNow(frame: Frame): Promise<void> {
    const { connectionControl, signal, transport } = this.#sink;
    if (connectionControl.isThrottled() && transport !== 'json') await connectionControl.sendThrottled(frame, signal);
    else await this.#sink.send(frame);
  }
}
