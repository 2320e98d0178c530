import { setFlagsFromString } from 'node:v8';

/** By how much the heap may grow before it is collected, in percent of what the last collection has left. */
const growingPercent = 80;

/**
 * Bounds the heap of a process that serves a gateway and does nothing else, as `turnwire serve` does. Histories that are forgotten are old objects to V8, which
 * by itself lets the heap grow to up to four times what is in use before it collects them. The setting holds for the whole process, so `startGateway` leaves it
 * to its caller.
 *
 * Kept for its measured worth: row `memory` of `npm run bench:gateway`, Node 20.20, 2026-12-01 (bench/NOTES.md). Nodes 20 to 26 have the flag; a V8 without it
 * ignores it.
 */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`);
}
