/**
 * `node:http`, without what an `import` of it costs: it reads all that the module exports, one of which is a WebSocket
 * that brings undici with it. That took 17 ms of Node 24's start, a third of what this package takes.
 */
export const { Agent: HttpAgent, request: httpRequest, STATUS_CODES } = process.getBuiltinModule('node:http');
