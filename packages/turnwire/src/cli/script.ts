import { scriptFromRecording } from '@turnwire/emulator';
import { exitStatus } from './process/exit-status.js';
import type { Io } from './process/io.js';

/** `turnwire script`: prints an editable script of a recording. */
export async function script(io: Io, { from, upstream }: { from: string; upstream?: string }): Promise<number> {
  io.stdout.write(await scriptFromRecording(from, { upstream }));
  return exitStatus.ok;
}
