/**
 * Every bound of the client: how long it waits, how much it holds, how many it keeps. Each has a reason; docs/bounds.md lists them all, and a test
 * compares the two. What a provider allows is in protocol/limits.ts.
 */

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

// Defaults of options, whose reasons are those of options.ts.

export const defaultTimeouts = {
  dialMs: 15 * second,
  firstEventMs: 5 * minute,
  idleMs: 15 * minute,
  pongMs: 10 * second,
  queueMs: 10 * minute,
  unreadMs: 15 * minute,
} as const;

export const defaultPool = { maxConnections: 32, maxIdleMs: Infinity, pingMs: 25 * second } as const;

export const defaultRecovery = { maxAttempts: 4, budgetMs: minute } as const;

/** The memory of chains: enough for some hundred long histories. */
export const defaultChainBytes = 64 * mebibyte;

// Waits of a turn, in milliseconds.

/**
 * The longest silence of a turn's events, also while pongs tell that the server lives: no connection lives longer (P81). A longer `timeouts.idleMs`
 * extends it.
 */
export const maxEventSilenceMs = hour;

/** While its client closes, a turn whose buffer is full waits for a reader for this long at most. */
export const closingUnreadMs = 10 * second;

/** How long a turn waits for the `response.failed` of a response after its `error` event. */
export const failedAfterErrorMs = 250;

/** After a response that was steered, its successor must begin within this time: the model may still finish an item, and the successor may queue (P48). */
export const successorMs = minute;

/** How long a turn waits, after a response that stopped for the client's tools, for the event that tells what happens to its steering (P49). */
export const steerPendingMs = second;

/** How long the rest of a body is read after its terminal event, so that the connection can be kept. */
export const answerDrainMs = second;

/** How long a body of `expectContinueBytes` or more waits for `100 Continue`: a server that does not know `Expect` sends none. */
export const expectContinueMs = second;

/** How long the body of a refusal is read: it carries the reason, and may come slowly or never. */
export const maxErrorBodyMs = 2 * second;

// Waits before a further attempt, in milliseconds.

/** The backoff doubles between these two (P27). */
export const firstBackoffMs = 500;
export const maxBackoffMs = 8 * second;

/** The wait before the single redial after a refusal by an edge network, which counts dials (A4). */
export const throttledRedialMs = 3 * second;

/** The time between two dials for turns that wait; doubled with each refusal in a row, and up to a fifth longer. */
export const redialMs = second;
export const maxRedialMs = 30 * second;

/** After an upgrade was refused for the number of dials, dials are slowed down for this long (A4, H9). */
export const slowDialsMs = minute;

/** The time between two slowed dials; up to a fifth longer, so that many clients do not dial in step. */
export const slowDialIntervalMs = second;

/** A server's `retry-after` replaces the suspension time in the breaker's table, within these bounds. */
export const minRetryAfterMs = second;
export const maxRetryAfterMs = hour;

/** When a probe of the breaker has had no result for this long, the next turn probes too. */
export const probeMs = 2 * minute;

// The life of connections, in milliseconds.

/**
 * A connection that was silent for less time than this needs no validation before it is used again. A plain call, which is never sent twice, goes over
 * no HTTP connection that was silent for longer.
 */
export const trustedSilenceMs = 30 * second;

/** How long the validation of an idle connection may take (B1). */
export const validationMs = 2 * second;

/** How long a server has to end the connection after a close frame. */
export const closeMs = second;

/** After this idle time TCP begins to probe a connection: SSE has no pings. */
export const tcpKeepAliveMs = 30 * second;

/** NTP sets clocks by fractions of a second. A larger gap is a sleep of the machine, or a clock that was set (B6). */
export const clockJumpMs = 2 * second;

/** A slow reader's connection is read on a little at times, for the pings in it: how often, and for how long when nothing comes. */
export const pausedReadIntervalMs = second;
export const pausedReadMs = 20;

/** The lane of an aborted turn is read on to its terminal event for this long; then its connection ends. */
export const laneDrainMs = 30 * second;

/** Where turns of many minutes are usual, a connection takes turns up to this age, whatever `idleMs` says (P130). */
export const openAiMaxAgeMs = 45 * minute;

/** The largest part of its age limit by which a connection ends earlier, so that connections dialled together are not replaced together (H9). */
export const maxAgeJitter = 0.05;

// Bytes of one thing.

/** One event; images arrive as base64 inside one (P7, P87). Both transports refuse a larger one with `event_too_large`. */
export const maxEventBytes = 64 * mebibyte;

/** Finished output items that a turn keeps, together, for a terminal event that leaves them out; more ends it with `event_too_large`. */
export const maxOutputBytes = 256 * mebibyte;

/** The largest frame to send, where the provider says nothing: the service takes 16 MiB (P31). */
export const maxFrameBytes = 15.5 * mebibyte;

/** A POST with a body from here on asks first whether it is wanted: a refusal then costs no upload (Q12). */
export const expectContinueBytes = mebibyte;

/** Bodies of refusals are read this far, for the error they carry. */
export const maxErrorBodyBytes = 64 * kibibyte;

/** The head of a proxy's answer to CONNECT, and of a server's to an upgrade. */
export const maxHeadBytes = 16 * kibibyte;

/** The longest line of a chunk's head, or of the trailer. */
export const maxChunkLineBytes = 4 * kibibyte;

/** The part of a body that tells whether it is an event stream. */
export const maxSniffedBytes = 64;

// Bytes that wait for somebody.

/** Events that a turn holds unread before it stops reading; it goes on below half of it. */
export const unreadHighWaterBytes = mebibyte;

/** Events that a turn holds unread on a connection that other turns use, and that is therefore not paused; more ends the turn with `unread_overflow`. */
export const laneUnreadBytes = 16 * mebibyte;

/** A paused connection is read for the pings in it: the bytes that are read at a time, and in all. */
export const pausedReadBytes = mebibyte;
export const maxPausedReadBytes = 16 * mebibyte;

/** The lane of an aborted turn is read on over this many bytes; then its connection ends. */
export const laneDrainBytes = 16 * mebibyte;

/** The most memory that is kept of a large frame, for the next one. */
export const maxSpareFrameBytes = mebibyte;

/** The most memory that a relay keeps of a body that came in chunks, to join those of the next one. */
export const maxSpareBodyBytes = mebibyte;

/** Fewer bytes than this within `timeouts.pongMs` are no frame on its way, and no sign of life (B9). */
export const minProgressBytes = kibibyte;

/** The budget of the bodies that `createFetch` keeps, as a part of `chains.maxBytes`, on top of it. */
export const bodyShare = 0.5;

// Numbers of things.

/** Frames that are held back until the response has named its parent, or until a `createFetch` knows its status; each has a few hundred bytes. */
export const maxHeldFrames = 256;

/** Ids of responses, and as many of items, that are known on a connection; the older half is forgotten together. */
export const maxKnownIds = 512;

/** The largest number of elements in a list of an item that is rebuilt from deltas: a larger index would leave a list of holes, and is ignored. */
export const maxRebuiltElements = 4096;

/** Idle connections for POSTs; a further one is ended. */
export const maxIdlePostConnections = 32;

/** Content codings of one body, one inside the other: each takes memory. */
export const maxCodings = 2;

/** Levels of nesting; a deeper value is not remembered (N19). */
export const maxJsonDepth = 512;

/** Candidates that are compared for one item of the input, the newest first. With more histories that differ in ids only, an older one may cost a full resend. */
export const maxComparisons = 256;

/** Shapes of requests that a WebSocket did not take (C11): how many are remembered, and for how long, in milliseconds. */
export const maxShapes = 64;
export const shapeMs = 10 * minute;

/** Fields at each level of a shape, and characters of each name: a request may have any number of either. */
export const maxShapeFields = 64;
export const maxShapeNameLength = 64;

/** Models whose server was found to differ: how many are remembered, and for how long, in milliseconds. A change at the server is found within this time. */
export const maxModels = 100;
export const modelMs = hour;

/** Credentials that are cut out of errors, those of the last handshakes: a key may have been changed while a connection that had the old one lives. */
export const maxSecrets = 32;

/** Characters of a server's message in an error; the rest is cut off. */
export const maxMessageLength = 2000;

/** Characters of a text that is parsed to look into it (a tool's output, say); a longer one is not worth it. */
export const maxParsedLength = mebibyte;

/** Identities of a `createFetch`; beyond it the least recently used one without a running turn is closed. */
export const maxIdentities = 100;

/** An identity that was idle for this long is closed, in milliseconds: its connections would be too old (P99). */
export const identityIdleMs = hour;

/**
 * Idle identities that carried a single turn: how many are kept, and for how long, in milliseconds. A header that differs by request makes such an
 * identity of each request (Q13).
 */
export const maxSingleTurnIdentities = 4;
export const singleTurnIdleMs = minute;

/** Names of headers of which it is remembered whether they belong to the identity. */
export const maxKnownHeaderNames = 1000;

/** Places at which an input may continue a context of another client, the longest first. */
export const maxContextEnds = 8;

/** Characters of a long text that go into its hash, which is compared before the whole text. */
export const maxSamples = 64;

/** The longest frame, in characters, that is checked for being blank: a heartbeat. */
export const maxBlankLength = 64;

/** Characters of a misspelt name for which another one is guessed: the work grows with their square. */
export const maxSpelledLength = 64;
