/** The peer broke the rules of RFC 6455, or sends more than is taken. What came is not used, and the connection ends. */
export class WebSocketViolation extends Error {
  override readonly name: string = 'Violation';
  /** What the peer is told in the close frame. */
  readonly closeCode: number;

  constructor(message: string, closeCode: number = protocolError) {
    super(message);
    this.closeCode = closeCode;
  }
}

/** A message, in one frame or in many, is larger than it may be. */
export class MessageTooLargeError extends WebSocketViolation {
  override readonly name = 'MessageTooLarge';

  constructor(maxBytes: number) {
    super(`a message of more than ${maxBytes} bytes`, 1009);
  }
}

const protocolError = 1002;
