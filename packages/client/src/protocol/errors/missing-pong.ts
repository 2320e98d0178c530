/** The `cause` of a `connection_lost` whose peer left a ping unanswered: it may have read everything before, the request included. */
export class MissingPongError extends Error {
  readonly ms: number;

  constructor(ms: number) {
    super(`no pong came within ${ms} ms`);
    this.name = 'MissingPongError';
    this.ms = ms;
  }
}
