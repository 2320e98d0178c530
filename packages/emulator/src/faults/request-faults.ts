import type { IncomingMessage } from 'node:http';
import type { Clock } from '../base/clock.js';
import { Refusal } from '../wire/refusal.js';
import type { Fault } from './fault.js';
import { requestedFaults, faultHeader } from './with-faults.js';
import type { ConnectionControl } from './connection-control.js';
import { strikesBeforeTurn, type Faults } from './rule.js';
import { applyFault, isSocketFault } from './apply-fault.js';

/** The faults of one upgrade or POST, and when they strike. */
export class RequestFaults {
  readonly #faults: readonly Fault[];
  /** Those its header asks for that are of a turn: for the first one. */
  readonly firstTurnFaults: Fault[];

  /** @throws Refusal if its header names a fault there is not */
  constructor(faults: Faults, request: IncomingMessage, connection: number) {
    const header = request.headers[faultHeader];
    const transport = request.method === 'POST' ? 'http' : 'websocket';
    const onSocket = transport === 'websocket';
    const asked = header === undefined ? [] : requestedFaults(String(header), faultHeader, onSocket, () => true);
    const own = [...asked.filter(strikesBeforeTurn), ...faults.beforeTurn({ connection, transport })];
    // An open socket has nothing to send before its first turn: that is what stalls.
    const later = (fault: Fault) => transport === 'websocket' && fault.fault === 'stall' && fault.after === 'open';
    this.#faults = own.filter((fault) => !later(fault));
    this.firstTurnFaults = [
      ...asked.filter((fault) => !strikesBeforeTurn(fault)),
      ...own.flatMap((fault): Fault[] => (fault.fault === 'stall' && later(fault) ? [{ ...fault, after: 0 }] : [])),
    ];
  }

  /** Resolves when the request may be answered: never, if a fault hangs it. @throws Refusal if a fault answers it */
  async beforeAnswer(connectionControl: ConnectionControl, clock: Clock, signal: AbortSignal): Promise<void> {
    for (const fault of this.#faults) {
      if (fault.fault === 'refuse') throw new FaultRefusal(fault.status, fault.headers, fault.body);
      if (fault.fault === 'connect-rate' && !isUnderRate(fault, clock.now()))
        throw new FaultRefusal(fault.status, {}, undefined);
      if (isSocketFault(fault) && fault.after === 'request') await applyFault(fault, connectionControl, clock, signal);
    }
  }

  get strikesBeforeAnswer(): boolean {
    return this.#faults.some((fault) => isSocketFault(fault) && fault.after === 'request');
  }

  get strikesAfterOpen(): boolean {
    return this.#faults.some((fault) => isSocketFault(fault) && fault.after === 'open');
  }

  /** After the 101, or the head of the event stream. */
  async afterOpen(connectionControl: ConnectionControl, clock: Clock, signal: AbortSignal): Promise<void> {
    for (const fault of this.#faults) {
      if (isSocketFault(fault) && fault.after === 'open') await applyFault(fault, connectionControl, clock, signal);
    }
  }
}

/** A status, headers and a body that a fault gave. */
class FaultRefusal extends Refusal {
  readonly #body: string | undefined;

  constructor(status: number, headers: Readonly<Record<string, string>>, body: string | undefined) {
    const lowerCased = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    super(`A fault refuses this request with status ${status}.`, { status, code: 'fault', headers: lowerCased });
    this.#body = body;
  }

  override body(): string {
    return this.#body ?? super.body();
  }
}

const recentUpgrades = new WeakMap<Fault, readonly number[]>();

/** Counts the upgrades of the last second, for each such fault by itself. */
function isUnderRate(fault: Extract<Fault, { fault: 'connect-rate' }>, now: number): boolean {
  const lastSecond = (recentUpgrades.get(fault) ?? []).filter((at) => now - at < 1000);
  const allowed = lastSecond.length < fault.per_second;
  recentUpgrades.set(fault, allowed ? [...lastSecond, now] : lastSecond);
  return allowed;
}
