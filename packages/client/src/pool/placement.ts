import type { Connection } from './connection.js';
import type { TurnwireError } from '../protocol/errors/errors.js';
import type { Lane, LaneListener } from './lane.js';

/** What a turn asks of its lane. */
export interface Placement {
  /** The response that the turn continues, and whether any connection can continue it (P71). */
  parent: { responseId: string; stored: boolean } | undefined;
  /** Only a connection dialled for this turn will do: the last idle one was dead. */
  fresh: boolean;
  /** Only the default lane of a connection without named lanes will do. */
  withoutLanes: boolean;
  /** A connection may be dialled; otherwise only open ones count. */
  mayDial: boolean;
  /**
   * The way that is left to a turn when no connection can be dialled: SSE; SSE over the caller's fetch, which cannot send `Expect: 100-continue`; or nothing
   * but to wait for a lane.
   */
  fallback: 'sse' | 'fetch' | 'nothing';
  /** The least recently used lane may be taken, and its chain lost, even if another connection could be dialled. */
  mayEvictChain?: boolean;
}

/** An idle lane, or a connection that can open a new one. */
export interface LaneChoice {
  connection: Connection;
  /** undefined for a new lane. */
  lane: Lane | undefined;
}

/** A lane that was given to a turn. */
export interface LaneAssignment {
  lane: Lane;
  /** The connection was not dialled for this turn. */
  reused: boolean;
}

/**
 * The rule that places a turn, as far as the open connections can serve it:
 *
 * 1. the idle lane that holds the response which the turn continues;
 * 2. the idle lane used last, if nothing would be lost: its chain is stored, or there is none;
 * 3. a new lane on a connection that has room and named lanes.
 *
 * A lane whose chain would be lost is the last choice, after a dial: see `leastRecentlyUsed`. A fork, whose parent's lane is busy, looks for 2
 * and 3 on the connection of its parent first: only that connection holds a response that is not stored (P46).
 */
export function chooseLane(connections: Iterable<Connection>, placement: Placement): LaneChoice | undefined {
  const { parent, withoutLanes } = placement;
  const home = parent && connectionHolding(parent.responseId, connections, withoutLanes);
  if (parent !== undefined && home !== undefined) {
    for (const lane of home.lanes)
      if (lane.idle && lane.chain?.responseId === parent.responseId) return { connection: home, lane };
    if (!parent.stored) {
      const beside = losslessLane([home], withoutLanes) ?? newNamedLane([home], withoutLanes);
      if (beside !== undefined) return beside;
    }
  }
  return losslessLane(connections, withoutLanes) ?? newNamedLane(connections, withoutLanes);
}

/** The idle lane whose chain was used least recently. The chain is lost by taking it. */
export function leastRecentlyUsed(connections: Iterable<Connection>, withoutLanes: boolean): LaneChoice | undefined {
  return idleLane(connections, withoutLanes, isEarlier);
}

/** The idle connection that was used least recently. */
export function oldestIdle(connections: Iterable<Connection>): Connection | undefined {
  let oldest: Connection | undefined;
  for (const connection of connections)
    if (connection.idle && (oldest === undefined || connection.usedAt < oldest.usedAt)) oldest = connection;
  return oldest;
}

/** Whether a turn could continue this response now: on the idle lane that holds it, or as a fork on another lane beside. */
export function canContinue(connections: Iterable<Connection>, responseId: string): boolean {
  for (const connection of connections) {
    if (!connection.hasCapacity || connection.tooOld) continue;
    let [here, idle, free] = [false, false, connection.lanes.canOpenLane];
    for (const lane of connection.lanes) {
      free ||= lane.idle && losesNothing(lane);
      if (lane.chain?.responseId !== responseId) continue;
      here = true;
      idle ||= lane.idle;
    }
    if (here && (idle || free)) return true;
  }
  return false;
}

function isUsable(connection: Connection, withoutLanes: boolean): boolean {
  return connection.hasCapacity && !(withoutLanes && connection.lanes.named);
}

/** The usable connection with a lane that holds this response. */
function connectionHolding(
  responseId: string,
  connections: Iterable<Connection>,
  withoutLanes: boolean,
): Connection | undefined {
  for (const connection of connections)
    if (connection.lanes.holds(responseId) && isUsable(connection, withoutLanes)) return connection;
  return undefined;
}

function losslessLane(connections: Iterable<Connection>, withoutLanes: boolean): LaneChoice | undefined {
  return idleLane(connections, withoutLanes, isLaterAndLossless);
}

function isLaterAndLossless(lane: Lane, than: Lane | undefined): boolean {
  return losesNothing(lane) && (than === undefined || lane.idleSince > than.idleSince);
}

function isEarlier(lane: Lane, than: Lane | undefined): boolean {
  return than === undefined || lane.idleSince < than.idleSince;
}

/** The best idle lane, by `isBetter`. */
function idleLane(
  connections: Iterable<Connection>,
  withoutLanes: boolean,
  isBetter: (lane: Lane, than: Lane | undefined) => boolean,
): LaneChoice | undefined {
  let found: Connection | undefined;
  let best: Lane | undefined;
  for (const connection of connections) {
    if (!isUsable(connection, withoutLanes)) continue;
    for (const lane of connection.lanes) {
      if (!lane.idle || !isBetter(lane, best)) continue;
      found = connection;
      best = lane;
    }
  }
  return found && { connection: found, lane: best };
}

function newNamedLane(connections: Iterable<Connection>, withoutLanes: boolean): LaneChoice | undefined {
  for (const connection of connections)
    if (isUsable(connection, withoutLanes) && connection.lanes.canOpenLane) return { connection, lane: undefined };
  return undefined;
}

function losesNothing({ chain }: Lane): boolean {
  return chain === undefined || chain.stored;
}

/** The chosen lane, or a new one of the chosen connection. */
export function laneOf({ connection, lane }: LaneChoice): Lane {
  return lane ?? connection.lanes.open();
}

/** Gives the chosen lane to a turn. */
export function assign(spot: LaneChoice, listener: LaneListener): LaneAssignment {
  const lane = laneOf(spot);
  lane.assign(listener);
  return { lane, reused: true };
}

/**
 * What a turn can still do after its dial was refused. A proxy that refuses tunnels refuses those of SSE too. A server that does not answer a dial may
 * not answer a POST either, and run it much later: the body is sent only if the server asks for it, which a fetch cannot tell.
 */
export function afterDial(placement: Placement, { code }: TurnwireError): Placement {
  const isOver = code === 'proxy_failed' || (code === 'dial_timeout' && placement.fallback === 'fetch');
  return isOver ? { ...placement, fallback: 'nothing' } : placement;
}
