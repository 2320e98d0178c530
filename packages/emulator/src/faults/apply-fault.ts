import type { Clock } from '../base/clock.js';
import { sleep } from '../base/sleep.js';
import type { Fault } from './fault.js';
import type { ConnectionControl } from './connection-control.js';

/** The faults that act on the socket of a turn, whenever they strike. */
type SocketFault = Extract<
  Fault,
  { fault: 'stall' | 'close' | 'end' | 'reset' | 'black-hole' | 'throttle' | 'no-pong' }
>;

export function isSocketFault(fault: Fault): fault is SocketFault {
  return ['stall', 'close', 'end', 'reset', 'black-hole', 'throttle', 'no-pong'].includes(fault.fault);
}

/**
 * Applies a fault to a connection. The promise resolves when the turn or the request may go on. After a fault that ends or stalls the
 * connection for good it never resolves, and rejects when the connection has gone.
 */
export async function applyFault(
  fault: SocketFault,
  connectionControl: ConnectionControl,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  switch (fault.fault) {
    case 'stall':
      return fault.ms === undefined ? untilGone(signal) : sleep(clock, fault.ms, signal);
    case 'close':
      connectionControl.close(fault.code, fault.reason);
      return untilGone(signal);
    case 'end':
      connectionControl.end();
      return untilGone(signal);
    case 'reset':
      connectionControl.reset();
      return untilGone(signal);
    case 'black-hole':
      connectionControl.blackHole();
      return untilGone(signal);
    case 'throttle':
      return connectionControl.throttle(fault.bytes_per_second);
    case 'no-pong':
      return connectionControl.ignorePings();
  }
}

/** Rejects when the connection has gone, which `close()` of the emulator also causes. */
function untilGone(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const gone = () => reject(new Error('The connection has gone.'));
    if (signal.aborted) gone();
    else signal.addEventListener('abort', gone, { once: true });
  });
}
