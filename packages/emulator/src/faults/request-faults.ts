import type { IncomingMessage } from 'node:http';
import type { Clock } from '../base/clock.js';
import { Refusal } from '../wire/refusal.js';
import type { Fault } from './fault.js';
import { faultHeader, refuseMisspelt, requestedFaults } from './requested-faults.js';
import type { ConnectionControl } from './connection-control.js';
import { strikesBeforeTurn, type Faults } from './rule.js';
import { applyFault, isSocketFault } from './apply-fault.js';

/** The faults that strike one upgrade or POST before there is a turn. */
export class RequestFaults {
  readonly #faults: readonly Fault[];
  /** The faults that its header asks for and that strike a turn: the first turn of the connection takes them. */
  readonly firstTurnFaults: Fault[];

  /** @throws Refusal if the header of the request names a fault that does not exist */
  constructor(faults: Faults, request: IncomingMessage, connection: number) {
    refuseMisspelt(Object.keys(request.headers), faultHeader);
    const header = request.headers[faultHeader];
    const transport = request.method === 'POST' ? 'http' : 'websocket';
    const onSocket = transport === 'websocket';
    const requested = header === undefined ? [] : requestedFaults(String(header), faultHeader, onSocket, () => true);
    const striking = [...requested.filter(strikesBeforeTurn), ...faults.beforeTurn({ connection, transport })];
    // A socket that is open sends nothing before its first turn, so a stall after the 101 becomes a stall of that turn.
    const later = (fault: Fault) => transport === 'websocket' && fault.fault === 'stall' && fault.after === 'open';
    this.#faults = striking.filter((fault) => !later(fault));
    this.firstTurnFaults = [
      ...requested.filter((fault) => !strikesBeforeTurn(fault)),
      ...striking.flatMap((fault): Fault[] =>
        fault.fault === 'stall' && later(fault) ? [{ ...fault, after: 0 }] : [],
      ),
    ];
  }

  /** Resolves when the request may be answered; never resolves if a fault stalls it for good. @throws Refusal if a fault answers the request */
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

  /** Applies the faults that strike after the 101, or after the head of the event stream. */
  async afterOpen(connectionControl: ConnectionControl, clock: Clock, signal: AbortSignal): Promise<void> {
    for (const fault of this.#faults) {
      if (isSocketFault(fault) && fault.after === 'open') await applyFault(fault, connectionControl, clock, signal);
    }
  }
}

/** The refusal of the fault `refuse`, with the status, headers and body that the fault names. */
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

/** When each `connect-rate` fault let upgrades pass within the last second. */
const recentUpgrades = new WeakMap<Fault, readonly number[]>();

/** True if the fault lets one more upgrade pass. Each `connect-rate` fault counts on its own. */
function isUnderRate(fault: Extract<Fault, { fault: 'connect-rate' }>, now: number): boolean {
  const lastSecond = (recentUpgrades.get(fault) ?? []).filter((at) => now - at < 1000);
  const allowed = lastSecond.length < fault.per_second;
  recentUpgrades.set(fault, allowed ? [...lastSecond, now] : lastSecond);
  return allowed;
}
