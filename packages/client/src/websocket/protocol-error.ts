/** The server broke RFC 6455, or exceeded a limit. The message is not used, and the connection ends. */
export class WebSocketProtocolError extends Error {
  override readonly name: string = 'WebSocketProtocolError';
  /** The code of the close frame that answers it. */
  readonly closeCode: number;

  constructor(message: string, closeCode: number = protocolError) {
    super(message);
    this.closeCode = closeCode;
  }
}

/** A message, in one frame or in many, is larger than it may be. */
export class MessageTooLargeError extends WebSocketProtocolError {
  override readonly name = 'MessageTooLargeError';

  constructor(maxBytes: number) {
    super(`a message of more than ${maxBytes} bytes`, 1009);
  }
}

const protocolError = 1002;
