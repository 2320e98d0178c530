// The page of the gateway: asks for `state.json` every two seconds, and shows it. Values are shown as text, never as markup.
/** @import { AdminState } from '../src/admin/state.js' */

const everyMs = 2000;
const answerMs = 10_000;

/** What the reasons of a full turn mean, in a few words; docs/continuation.md says what to do about each. */
const meanings = new Map([
  ['first_turn', 'a new conversation: there was nothing to continue'],
  ['fields_changed', 'this field shapes the context, and was another one before'],
  ['history_diverged_at', 'an earlier part of the history was changed, reordered or left out'],
  ['history_unknown', 'nothing of this history is remembered'],
  ['history_rewound', 'the history ends where no remembered response has ended'],
  ['chain_lost', 'the response to continue was lost with its connection'],
  ['id_ignored', 'the upstream ignores ids for this model'],
  ['nothing_new', 'the history ends with what the upstream has said itself'],
  ['unchainable', 'with this field a turn is never continued by id'],
  ['restored', 'the upstream had lost the response, and the gateway sent what it held'],
]);

const status = element('status');
const pause = element('pause');
let isPaused = false;
let timer = 0;

pause.addEventListener('click', () => {
  isPaused = !isPaused;
  pause.setAttribute('aria-pressed', String(isPaused));
  pause.textContent = isPaused ? 'Go on' : 'Pause';
  if (isPaused) tell('paused', 'paused');
  schedule(0);
});
// A page in the background asks for nothing.
document.addEventListener('visibilitychange', () => schedule(0));
schedule(0);

/** @param {number} ms the wait before the next request for the state; none is made while the page is paused or hidden. */
function schedule(ms) {
  clearTimeout(timer);
  if (!isPaused && !document.hidden) timer = setTimeout(() => void refresh(), ms);
}

async function refresh() {
  try {
    const response = await fetch('state.json', { signal: AbortSignal.timeout(answerMs) });
    if (!response.ok) throw new Error(`the gateway answers with ${response.status}`);
    const state = /** @type {AdminState} */ (await response.json());
    show(state);
    if (!isPaused) tell(state.ready ? 'live' : 'draining', state.ready ? 'live' : 'draining: takes no new turns');
  } catch {
    if (!isPaused) tell('lost', 'the gateway does not answer; trying again');
  }
  schedule(everyMs);
}

/**
 * @param {'live' | 'draining' | 'paused' | 'lost'} name
 * @param {string} text
 */
function tell(name, text) {
  // A screen reader would read unchanged text out again.
  if (status.textContent !== text) status.textContent = text;
  status.dataset['state'] = name;
}

/** @param {AdminState} state */
function show(state) {
  const { total, connections } = state;
  element('upstream').textContent = state.upstream;
  element('since').textContent = new Date(state.started_at).toLocaleString();
  element('since').setAttribute('datetime', state.started_at);

  figures('saved-figures', [
    ['bytes saved', share(total.client_bytes - total.upstream_bytes, total.client_bytes), 'of those that came'],
    ['turns as deltas', share(total.deltas, total.turns), `${count(total.deltas)} of ${count(total.turns)}`],
    ['turns in full', count(total.turns - total.deltas), `${count(total.transports['sse'] ?? 0)} turns went by SSE`],
    ['input tokens cached', share(total.cached_tokens, total.input_tokens), ofTokens(total)],
    ['running', count(state.running), state.running === 1 ? 'turn' : 'turns'],
  ]);
  const most = Math.max(total.client_bytes, total.upstream_bytes, 1);
  bar('came', total.client_bytes, most);
  bar('went', total.upstream_bytes, most);

  const reasons = Object.entries(total.full_reasons).sort(([, a], [, b]) => b - a);
  rows(
    'reasons',
    reasons.map(([reason, turns]) => [
      cell(reason),
      cell(count(turns), 'number'),
      cell(meanings.get(reason.replace(/:.*$/, '')) ?? '', 'means'),
    ]),
    'no turn has gone in full',
  );

  figures('connection-figures', [
    ['WebSockets upstream', count(connections.connections), `${count(connections.busy)} carry a turn`],
    ['lanes in use', count(connections.lanes), 'turns on these WebSockets'],
    ['WebSockets of clients', count(state.client_sockets), 'open'],
    ['chains', count(connections.chains), `${bytes(connections.chain_bytes)} of memory`],
    ['to restore chains', bytes(connections.history_bytes), 'of histories are held'],
    ...shared(state),
  ]);
  rows(
    'identities',
    state.identities.map((one) => [
      cell(one.used_by, 'name'),
      cell(count(one.connections), 'number'),
      cell(count(one.busy), 'number'),
      cell(count(one.lanes), 'number'),
      cell(count(one.chains), 'number'),
      cell(bytes(one.chain_bytes), 'number'),
      cell(count(one.chains_given_up), 'number'),
    ]),
    'nobody has asked yet',
  );
  rows(
    'principals',
    state.principals.map((one) => [
      cell(one.name, 'name'),
      cell(count(one.turns), 'number'),
      cell(count(one.running), 'number'),
      cell(share(one.deltas, one.turns), 'number'),
      cell(share(one.client_bytes - one.upstream_bytes, one.client_bytes), 'number'),
      cell(count(one.input_tokens), 'number'),
      cell(share(one.cached_tokens, one.input_tokens), 'number'),
      cell(count(one.output_tokens), 'number'),
      one.last_turn_at === null ? cell('none yet', 'none') : time(one.last_turn_at),
    ]),
    'nobody has asked yet',
  );
  rows('turns', state.turns.map(turnCells), 'no turn has ended yet');
}

/**
 * @param {AdminState} state
 * @returns {[title: string, value: string, note: string][]}
 */
function shared({ cluster }) {
  return cluster === null ? [] : [['Redis', cluster.redis, 'shared with other gateways']];
}

/** @param {AdminState['turns'][number]} turn */
function turnCells(turn) {
  const { plan, reason, input_tokens: input, cached_tokens: cached = 0 } = turn;
  return [
    time(turn.ended_at),
    cell(turn.principal, 'name'),
    cell(turn.model ?? '', 'name'),
    cell(`${carriers[turn.downstream]} → ${carriers[turn.transport]}`),
    cell(plan === 'full' && reason !== undefined ? `in full: ${reason}` : plan, plan),
    cell(bytes(turn.client_bytes), 'number'),
    cell(bytes(turn.upstream_bytes), 'number'),
    cell(duration(turn.first_event_ms), 'number'),
    cell(duration(turn.total_ms), 'number'),
    cell(input === undefined ? '' : `${count(cached)} of ${count(input)}`, 'number'),
    cell(
      turn.error === undefined ? turn.outcome : `${turn.outcome}: ${turn.error}`,
      turn.outcome === 'completed' ? '' : 'bad',
    ),
  ];
}

const carriers = { sse: 'SSE', json: 'JSON', websocket: 'WebSocket' };

/**
 * @param {string} id
 * @param {readonly [title: string, value: string, note: string][]} list
 */
function figures(id, list) {
  element(id).replaceChildren(
    ...list.map(([title, value, note]) => {
      const figure = document.createElement('div');
      const small = make('small', note);
      const described = make('dd', value);
      described.append(small);
      figure.append(make('dt', title), described);
      return figure;
    }),
  );
}

/**
 * @param {'came' | 'went'} name
 * @param {number} value
 * @param {number} most
 */
function bar(name, value, most) {
  element(`bar-${name}`).style.setProperty('--share', String(value / most));
  element(`bytes-${name}`).textContent = bytes(value);
}

/**
 * @param {string} id
 * @param {readonly (readonly HTMLElement[])[]} list
 * @param {string} none
 */
function rows(id, list, none) {
  const body = element(id);
  if (list.length === 0) {
    const only = cell(none, 'none');
    only.colSpan = 20;
    return body.replaceChildren(rowOf([only]));
  }
  body.replaceChildren(...list.map(rowOf));
}

/** @param {readonly HTMLElement[]} cells */
function rowOf(cells) {
  const row = document.createElement('tr');
  row.append(...cells);
  return row;
}

/**
 * @param {string} text
 * @param {string} kind
 */
function cell(text, kind = '') {
  const made = document.createElement('td');
  made.textContent = text;
  made.className = kind;
  // Text that does not fit is cut off, so the whole stands in the tooltip.
  if (kind === 'name') made.title = text;
  return made;
}

/** @param {string} iso */
function time(iso) {
  const date = new Date(iso);
  const made = cell('');
  const inner = make('time', date.toLocaleTimeString());
  inner.setAttribute('datetime', iso);
  inner.title = date.toLocaleString();
  made.append(inner);
  return made;
}

/**
 * @param {string} name
 * @param {string} text
 */
function make(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

/** @param {number} value */
function count(value) {
  return value.toLocaleString();
}

/**
 * @param {number} part
 * @param {number} whole
 */
function share(part, whole) {
  if (whole === 0) return '–';
  const percent = (Math.max(0, part) / whole) * 100;
  // A part that is less than the whole is never shown as 100 %.
  return `${percent > 99 && percent < 100 ? (Math.floor(percent * 10) / 10).toFixed(1) : Math.round(percent)} %`;
}

/** @param {AdminState['total']} total */
function ofTokens({ cached_tokens: cached, input_tokens: input }) {
  return `${count(cached)} of ${count(input)}`;
}

/** @param {number} value */
function bytes(value) {
  if (value < 1000) return `${value} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length, Math.floor(Math.log10(value) / 3));
  return `${(value / 1000 ** power).toFixed(1)} ${units[power - 1]}`;
}

/** @param {number | undefined} ms */
function duration(ms) {
  if (ms === undefined) return '';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
