import type { Refusal } from '../wire/refusal.js';
import { isRecord, responseIn, type Frame } from '../wire/wire.js';
import { applyFault, isSocketFault } from './apply-fault.js';
import { ConnectionLimitReached } from './connection-limit.js';
import { ShapedError } from './error-shape.js';
import { describeFault, type Fault } from './fault.js';
import type { FaultContext } from './fault-context.js';
import type { Sink } from './sink.js';

/** After how many events of the turn a fault strikes, or that it strikes after the last one. */
type Place = number | 'terminal';

/** Strikes one turn with the faults that have a place among its events, each of them once. */
export class Strikes {
  readonly #sink: Sink;
  readonly #context: FaultContext;
  readonly #pending: Set<Fault>;
  /** The response in `response.created`, once that event has come. */
  #created: unknown;
  #events = 0;

  constructor(faults: readonly Fault[], sink: Sink, context: FaultContext) {
    this.#pending = new Set(faults);
    this.#sink = sink;
    this.#context = context;
  }

  /** The number of events that have come. */
  get events(): number {
    return this.#events;
  }

  /** Strikes before an event is sent, and counts the event. @throws Refusal if a fault ends the turn with an error */
  async beforeEvent(frame: Frame, last: boolean): Promise<void> {
    const isBody = this.#sink.transport === 'json';
    // The events of a JSON answer are not sent, so there is nothing to cut before its body.
    await this.#strike(this.#events, isBody ? undefined : frame);
    if (isBody && last) await this.#cutBody(JSON.stringify(responseIn(frame)));
    this.#events += 1;
    if (frame.type === 'response.created') this.#created = responseIn(frame);
  }

  /** Strikes after the terminal event was sent. */
  async afterLastEvent(): Promise<void> {
    await this.#strike(this.#events, undefined);
    await this.#strike('terminal', undefined);
  }

  /** Strikes before an error is sent in place of the first event. */
  async beforeRefusal(refusal: Refusal): Promise<void> {
    const isBody = this.#sink.transport === 'json';
    await this.#strike(0, isBody ? { type: 'error', text: refusal.body() } : refusal.frame());
  }

  /** `next` is what is about to be sent. A fault that cuts it strikes only if there is something. */
  async #strike(place: Place, next: Frame | undefined): Promise<void> {
    for (const fault of this.#pending) {
      if (!('after' in fault) || fault.after !== place) continue;
      if (fault.fault === 'cut' && next === undefined) continue;
      this.#pending.delete(fault);
      await this.#apply(fault, place, next);
    }
  }

  /** Cuts the body of a JSON answer, which begins behind all of its events. */
  async #cutBody(text: string): Promise<void> {
    for (const fault of this.#pending) {
      if (fault.fault !== 'cut' || fault.after > this.#events) continue;
      this.#pending.delete(fault);
      await this.#apply(fault, fault.after, { type: 'response', text });
    }
  }

  async #apply(fault: Fault, place: Place, next: Frame | undefined): Promise<void> {
    // These two edit events, and are reported when they have changed one.
    if (fault.fault === 'wrong-id' || fault.fault === 'stray') return;
    const { clock, onFault } = this.#context;
    const { connectionControl, signal } = this.#sink;
    onFault(describeFault(fault));
    if (isSocketFault(fault)) await applyFault(fault, connectionControl, clock, signal);
    else if (fault.fault === 'cut' && next !== undefined) await this.#cut(fault, next);
    else if (fault.fault === 'error') this.#fail(fault);
    else if (fault.fault === 'connection-limit') await this.#reachLimit(fault, place);
  }

  async #cut({ bytes, reset }: Extract<Fault, { fault: 'cut' }>, next: Frame): Promise<void> {
    const { connectionControl, signal } = this.#sink;
    connectionControl.cut(next, bytes);
    await applyFault({ fault: reset ? 'reset' : 'end', after: 0 }, connectionControl, this.#context.clock, signal);
  }

  #fail(fault: Extract<Fault, { fault: 'error' }>): never {
    // A response that ends in an error cannot be continued, even if its terminal event was the next event.
    if (isRecord(this.#created)) this.#context.forget(this.#created['id']);
    throw new ShapedError(fault, this.#created, this.#events);
  }

  async #reachLimit({ code }: Extract<Fault, { fault: 'connection-limit' }>, place: Place): Promise<void> {
    const limit = new ConnectionLimitReached(code);
    if (place !== 'terminal') throw limit;
    const { transport, connectionControl } = this.#sink;
    // A JSON body has no place for an event behind it, and the end of an event stream closes it.
    if (transport !== 'json') await this.#sink.send(limit.frame());
    if (transport === 'websocket') connectionControl.close(code, '');
  }
}
