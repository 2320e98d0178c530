import { same, transcript } from './transcript.js';
import type { Exchange } from '../server/exchange.js';
import type { Json } from '../server/events.js';
import type { ScenarioRecord, TurnRecord } from './record.js';

/** The ten invariants of the fault catalogue, by what must hold. */
export const invariants = {
  'settles once, in time': settles,
  'succeeds by its own terminal event only': ownTerminal,
  'text is the response’s text, once, in order': ownText,
  'the transcript that the server used is the caller’s input': ownTranscript,
  'asked no more often than allowed, tools run once, usage as billed': onceOnly,
  'nothing is left': nothingLeft,
  'nothing is thrown into the void': noStrays,
  'secrets are in the handshake only': secretsKept,
  'a connection is used again only after a clean end': cleanReuse,
  'a process ends by itself': childEnds,
} as const satisfies Record<string, (record: ScenarioRecord) => Generator<string>>;

export type Invariant = keyof typeof invariants;

/** The invariants that a scenario has violated, a line each; empty for none. */
export function violations(record: ScenarioRecord): { invariant: Invariant; what: string }[] {
  return (Object.keys(invariants) as Invariant[]).flatMap((invariant) =>
    [...invariants[invariant](record)].map((what) => ({ invariant, what })),
  );
}

const succeeded = ({ report }: TurnRecord): boolean =>
  report.outcome === 'completed' || report.outcome === 'incomplete';

function* settles({ turns, budgetMs }: ScenarioRecord): Generator<string> {
  for (const [index, { report, ends, late }] of turns.entries()) {
    if (report.totalMs === undefined) yield `turn ${index} never settled`;
    else if (report.totalMs > budgetMs) yield `turn ${index} took ${report.totalMs} ms of ${budgetMs}`;
    if (new Set(ends).size > 1) yield `turn ${index} ended in two ways`;
    if (late > 0) yield `turn ${index} went on after its end`;
  }
}

function* ownTerminal({ turns, exchanges, handwritten }: ScenarioRecord): Generator<string> {
  for (const [index, turn] of turns.entries()) {
    if (!succeeded(turn)) continue;
    const candidates = exchanges.filter((exchange) => belongs(exchange, turn));
    if (isUnknown(handwritten, candidates)) continue;
    const own = candidates.map(({ terminal }) => terminal);
    if (!own.some((terminal) => terminal !== undefined && ends(terminal, turn)))
      yield `turn ${index} is ${turn.report.outcome}, and no terminal event of ${turn.report.responseId} says so`;
  }
}

function ends(terminal: Json, { report }: TurnRecord): boolean {
  const { status, incomplete_details: details } = (terminal['response'] ?? {}) as Json;
  const said = String(terminal['type']).replace('response.', '');
  // These two leave it to the status inside.
  const outcome = said === 'done' || said === 'completed' ? (status ?? 'completed') : said;
  if (outcome === 'incomplete' && report.outcome === 'incomplete')
    return typeof (details as Json | null)?.['reason'] === 'string';
  return outcome === report.outcome;
}

/** A part of what was written for one of these is the test's own. */
function isUnknown(handwritten: ScenarioRecord['handwritten'], exchanges: readonly Exchange[]): boolean {
  return handwritten === 'all' || exchanges.some(({ peer }) => handwritten.has(peer));
}

function* ownText({ turns, exchanges, handwritten, relayed }: ScenarioRecord): Generator<string> {
  const taken = new Map<Exchange, number>();
  for (const [index, turn] of turns.entries()) {
    if (turn.events.length === 0) continue;
    const candidates = exchanges.filter((exchange) => belongs(exchange, turn));
    if (isUnknown(handwritten, candidates)) continue;
    // A gateway ends a turn that it cannot continue with an error of its own.
    const endsByGateway = relayed !== undefined && turn.events.at(-1)?.['type'] === 'error';
    const given = endsByGateway ? turn.events.slice(0, -1) : turn.events;
    // And it names the response that its client has continued, whatever it has continued itself.
    const comparable = relayed === undefined ? (events: readonly Json[]) => events : withoutParents;
    const source = candidates.find(({ events }) => isPrefix(comparable(given), comparable(events)));
    if (source === undefined) {
      yield `turn ${index} was handed events that no response of its own had in this order`;
      continue;
    }
    const wasRead = turn.ends[0] === 'done' && succeeded(turn);
    const [terminal] = comparable(source.terminal === undefined ? [] : [source.terminal]);
    if (wasRead && !comparable(turn.events).some((event) => alike(event, terminal)))
      yield `turn ${index} is a success, and its terminal event was not handed over`;
    if (candidates.length > 1) continue;
    const other = taken.get(source);
    if (other !== undefined) yield `turns ${other} and ${index} were handed the same response`;
    taken.set(source, index);
  }
}

function* ownTranscript({ turns, exchanges }: ScenarioRecord): Generator<string> {
  for (const exchange of exchanges) {
    if (exchange.responses.length === 0 || isWarmUp(exchange)) continue;
    const used = transcript(
      exchange.request,
      exchanges.filter((other) => other !== exchange),
      exchange.peer,
    );
    const owners = turns.filter(({ report }) => exchange.responses.includes(report.responseId ?? ''));
    // An answer that nobody was told of, or that another attempt has replaced: somebody must have asked for it.
    const askers = owners.length > 0 ? owners : turns;
    const wanted = askers.filter(({ params }) => same(used, transcript(params, exchanges, exchange.peer)));
    if (wanted.length === 0) yield `${exchange.responses[0]} was answered from another input than its caller's`;
    else if (!wanted.some(({ params }) => sameFields(params, exchange.request)))
      yield `${exchange.responses[0]} was asked with other fields than its caller's`;
  }
}

/** Only what belongs to a transport may differ (P30). */
const ofTransport = new Set([
  'type',
  'stream',
  'stream_id',
  'stream_options',
  'background',
  'generate',
  'input',
  'previous_response_id',
]);

function sameFields(params: Json, request: Json): boolean {
  const fields = (from: Json): string =>
    JSON.stringify(
      Object.entries(from)
        .filter(([name, value]) => !ofTransport.has(name) && value !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  return fields(params) === fields(request);
}

const handedOver = new Set(['created', 'visible', 'tool', 'terminal']);

function* onceOnly(record: ScenarioRecord): Generator<string> {
  const { turns, exchanges, handwritten, maxAttempts, effects, relayed, warmUps = 0 } = record;
  let tries = 0;
  for (const [index, turn] of turns.entries()) {
    const { attempts, usage } = turn.report;
    tries += attempts.filter(({ phase }) => phase !== 'queued').length;
    if (attempts.length > maxAttempts) yield `turn ${index} was tried ${attempts.length} times of ${maxAttempts}`;
    if (attempts.slice(0, -1).some(({ phase }) => handedOver.has(phase)))
      yield `turn ${index} was tried again after its events had been handed over`;
    const candidates = exchanges.filter((exchange) => belongs(exchange, turn));
    const bills = candidates.map(({ terminal }) => ((terminal?.['response'] ?? {}) as Json)['usage'] ?? undefined);
    if (
      succeeded(turn) &&
      !isUnknown(handwritten, candidates) &&
      !bills.some((bill) => JSON.stringify(bill) === JSON.stringify(usage))
    )
      yield `turn ${index} reports ${JSON.stringify(usage)}, and was billed ${JSON.stringify(bills)}`;
  }
  const ahead = exchanges.filter(isWarmUp).length;
  if (ahead > warmUps) yield `the server was asked to prepare ${ahead} turns, and the client ${warmUps}`;
  const asked = exchanges.length - ahead;
  const sent = relayed?.attempts ?? tries;
  if (asked > sent) yield `the server was asked ${asked} times in ${sent} attempts`;
  if (relayed !== undefined && relayed.turns > tries)
    yield `the gateway began ${relayed.turns} turns for ${tries} attempts of its clients`;
  for (const [call, count] of effects) if (count > 1) yield `the tool of ${call} ran ${count} times`;
}

function* nothingLeft({ leaks }: ScenarioRecord): Generator<string> {
  const { busy, sockets, maxSockets, handles, listeners } = leaks;
  if (busy > 0) yield `${busy} connections are busy without a turn`;
  if (sockets > maxSockets) yield `${sockets} connections of at most ${maxSockets}`;
  if (handles[1] > handles[0]) yield `${handles[1] - handles[0]} sockets or timers keep the process alive`;
  if (listeners[1] > listeners[0]) yield `${listeners[1] - listeners[0]} listeners are left`;
}

function* noStrays({ strays }: ScenarioRecord): Generator<string> {
  for (const stray of strays) yield String(stray);
}

function* secretsKept({ secret, said }: ScenarioRecord): Generator<string> {
  for (const text of said) {
    const at = text.indexOf(secret);
    if (at !== -1) yield `…${text.slice(Math.max(0, at - 60), at)}[the secret]`;
  }
}

function* cleanReuse({ turns, exchanges, relayed }: ScenarioRecord): Generator<string> {
  for (const [index, exchange] of exchanges.entries()) {
    if (exchange.via !== 'websocket') continue;
    if (exchange.overlaps) yield `connection ${exchange.peer} was asked while it was answering`;
    const before = exchanges
      .slice(0, index)
      .findLast(({ peer, lane, via }) => via === 'websocket' && peer === exchange.peer && lane === exchange.lane);
    if (before === undefined) continue;
    // A gateway drains the lane of a client that has left, and uses it again after the answer's end.
    if (relayed !== undefined && before.terminal !== undefined) continue;
    const owners = turns.filter((turn) => belongs(before, turn) && before.responses.length > 0);
    if (owners.length > 0 && owners.every(({ report }) => report.outcome === 'lost'))
      yield `connection ${exchange.peer} was asked again after its turn was lost`;
  }
}

const mostExitMs = 2000;

function* childEnds({ child }: ScenarioRecord): Generator<string> {
  if (child === undefined) return;
  if (child.signal !== null) yield `the process had to be ended by ${child.signal}`;
  else if (child.code !== 0) yield `the process ended with ${child.code}`;
  else if (child.afterMs > mostExitMs) yield `the process ended ${child.afterMs} ms after its work`;
}

/** No turn asks for it, and none may be handed its answer (A13). */
function isWarmUp({ request }: Exchange): boolean {
  return request['generate'] === false;
}

/** By its response id; where the caller saw none, any might be its own. */
function belongs({ responses }: Exchange, { report }: TurnRecord): boolean {
  return report.responseId === undefined || responses.includes(report.responseId);
}

function isPrefix(part: readonly Json[], whole: readonly Json[]): boolean {
  return part.length <= whole.length && part.every((event, index) => alike(event, whole[index]));
}

function withoutParents(events: readonly Json[]): readonly Json[] {
  return events.map((event) => {
    const { previous_response_id: _, ...response } = (event['response'] ?? {}) as Json;
    return event['response'] === undefined ? event : { ...event, response };
  });
}

/** A lane's name is the connection's business, and may be taken off. */
function alike(a: Json, b: Json | undefined): boolean {
  if (b === undefined) return false;
  const { stream_id: _a, ...mine } = a;
  const { stream_id: _b, ...other } = b;
  return JSON.stringify(mine) === JSON.stringify(other);
}
