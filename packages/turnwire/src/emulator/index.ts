export { startEmulator, type Emulator } from './emulator.js';
export type { EmulatorLimits, EmulatorOptions } from './options.js';
export { EmulatorError, ScriptError, type EmulatorErrorCode, type ScriptPlace } from './errors.js';
export type { Script } from './script.js';
export type { Journal, JournalConnection, JournalRequest, JournalTurn, Outcome, Transport } from './journal.js';
export type { Item, Usage } from './wire.js';
export { startLink, type Link, type LinkOptions } from './link.js';
