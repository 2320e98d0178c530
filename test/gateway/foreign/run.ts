import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs a program and gives its output. The program gets `input`, and must end with status 0. */
export async function run(program: string, args: readonly string[], input: string | Buffer = ''): Promise<string> {
  const child = spawn(program, args, { stdio: 'pipe', timeout: 60_000 });
  let said = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (said += piece));
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (complaint += piece));
  // A program may answer before it has read everything.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [status] = (await once(child, 'close')) as [number | null];
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${complaint}`);
  return said;
}
