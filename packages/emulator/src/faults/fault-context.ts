import type { Clock } from '../base/clock.js';

/** The parts of the emulator that the faults of one turn use. */
export interface FaultContext {
  readonly clock: Clock;
  /** Called once for each fault, in its text form, when the fault strikes. */
  readonly onFault: (fault: string) => void;
  readonly forget: (responseId: unknown) => void;
}
