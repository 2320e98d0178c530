// The public API of @turnwire/emulator, as a table of contents.
export { startEmulator, startLink, startRecorder, summarizeRecording } from './start.js';
export type { Emulator, EmulatorState } from './emulator.js';
export { isPublicAddress } from './access.js';
export { useEmulator, type EmulatorInTests, type TestHooks, type UseEmulatorOptions } from './testing.js';
export { ManualClock, type Cancel, type Clock } from './clock.js';
export type { AgeLimit, DialectName } from './dialect.js';
export type { EmulatorLimits, EmulatorOptions } from './options.js';
export { EmulatorError, ScriptError, type EmulatorErrorCode, type ScriptPlace } from './errors.js';
export type { Script } from './script.js';
export type { Journal, JournalConnection, JournalRequest, JournalTurn, Outcome, Transport } from './journal.js';
export type { Item, Usage } from './wire.js';
export type { Bill, BillLine } from './bill.js';
export type { FaultRule } from './faults/rule.js';
export type { ReplayOptions } from './replay/replay-options.js';
export type { RecordingSummary } from './replay/summary.js';
export type { Recorder, RecorderOptions } from './record/recorder.js';
export type { Link, LinkOptions } from './link.js';
