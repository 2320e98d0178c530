/** An event as it came. */
export interface RelayEvent {
  readonly type: string | undefined;
  /** The JSON of the event, byte for byte; without the name of a lane that this client has given to the turn. */
  readonly text: string;
  /** In bytes of UTF-8, as it came. */
  readonly size: number;
}
