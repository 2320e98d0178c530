/** An event as it came. */
export interface RelayEvent {
  readonly type: string | undefined;
  /** Its JSON, byte for byte; where the engine had given the turn a lane of its own, without the name of that lane. */
  readonly text: string;
  /** In bytes of UTF-8, as it came. */
  readonly size: number;
}
