/** Which names and web pages may reach a server on this machine, beside the programs on it. */
export interface AccessOptions {
  /**
   * The host names that requests may use for the server, without a port, beside those of the loopback interface and the address on which it
   * listens; for example `emulator`, as a service of a compose file. `*` allows any name. @default none
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * The origins whose web pages may use the server, such as `http://localhost:5173`. `*` allows any page in any browser on this machine.
   * Programs send no `Origin` and need no entry. @default none
   */
  readonly allowedOrigins?: readonly string[] | undefined;
}

/** The certificate and the private key of a TLS server, both in PEM. */
export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
}
