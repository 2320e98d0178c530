// The public API of @turnwire/emulator, as a table of contents.
// Its declarations are complete by themselves: they need no types of Node.js or of a browser.
/// <reference lib="esnext.disposable" preserve="true" />
export {
  createTestAuthority,
  startEmulator,
  scriptFromRecording,
  startLink,
  startRecorder,
  summarizeRecording,
} from './start.js';
export type { Emulator, EmulatorState } from './emulator.js';
export { isPublicAddress } from './listener/host.js';
export type { TlsOptions } from './listener/options.js';
export { useEmulator, type EmulatorInTests, type TestHooks, type UseEmulatorOptions } from './testing.js';
export { ManualClock, type Cancel, type Clock } from './base/clock.js';
export type { AgeLimit, DialectName } from './wire/dialect.js';
export type { EmulatorLimits, EmulatorOptions } from './server/options-type.js';
export { EmulatorError, ScriptError, type EmulatorErrorCode, type ScriptPlace } from './base/errors.js';
export type {
  Script,
  ScriptAnnotation,
  ScriptCall,
  ScriptEntry,
  ScriptItem,
  ScriptPace,
  ScriptRule,
  ScriptTool,
} from './sources/script/script-type.js';
export type { Journal, JournalConnection, JournalRequest } from './journal/journal.js';
export type { JournalTurn, Outcome, Transport } from './journal/journal-turn.js';
export type { Item, Usage } from './wire/wire.js';
export type { Bill, BillLine } from './journal/bill.js';
export type { FaultInput, FaultMoment, FaultRule } from './faults/fault-rule.js';
export type { ReplayOptions } from './replay/replay-options.js';
export type { RecordingSummary } from './replay/summary.js';
export type { Recorder, RecorderOptions } from './record/recorder.js';
export type { Link, LinkOptions } from './link.js';
export type { TestAuthority, TestCertificate, TestCertificateOptions } from './test-authority.js';
