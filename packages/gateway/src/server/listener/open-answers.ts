import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The answers that each connection still waits for: several, where its client sends requests without waiting for their answers (pipelining). */
export class OpenAnswers {
  readonly #open = new WeakMap<Duplex, Set<ServerResponse>>();

  add(socket: Duplex, response: ServerResponse): void {
    const open = this.#openOf(socket);
    open.add(response);
    response.once('close', () => open.delete(response));
  }

  /**
   * Calls `go` once every answer has been written. Node hands over an upgrade as soon as it has read it, also while answers to earlier requests of the
   * connection are still to come: it may neither be answered before them nor take the connection from them. A connection that ends before calls nothing.
   */
  whenWritten(socket: Duplex, go: () => void): void {
    const last = [...this.#openOf(socket)].at(-1);
    if (last === undefined) return go();
    const ignored = (): void => {};
    // Node listens to errors no more.
    socket.on('error', ignored);
    last.once('close', () => {
      if (socket.destroyed) return;
      go();
      socket.off('error', ignored);
    });
  }

  #openOf(socket: Duplex): Set<ServerResponse> {
    const known = this.#open.get(socket);
    if (known !== undefined) return known;
    const open = new Set<ServerResponse>();
    this.#open.set(socket, open);
    // Node tells only the response that has the connection; those behind it have none yet.
    socket.once('close', () => {
      for (const response of open) if (response.socket === null) response.destroy().emit('close');
    });
    return open;
  }
}
