import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Stands between Redis and the C library. Adds the seconds that the file holds to the time of day; time that only grows stays as it is. */
const library = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
static const volatile long long *offset;
__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("CLOCK_OFFSET_FILE");
  int file = path ? open(path, O_RDONLY) : -1;
  void *page = file < 0 ? MAP_FAILED : mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) offset = page;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  int status = syscall(SYS_gettimeofday, time, zone);
  if (status == 0 && time && offset) time->tv_sec += *offset;
  return status;
}
`;

/** The clock of a process, which a test can set while the process runs. */
export interface ProcessClock {
  /** The environment that the process is started with. */
  readonly env: Readonly<Record<string, string>>;
  /** From the true time; the jump before does not count. */
  readonly jumpTo: (seconds: number) => void;
}

/** undefined where there is no C compiler, and on other systems than Linux. @param folder of the test's own */
export function processClock(folder: string): ProcessClock | undefined {
  if (process.platform !== 'linux') return undefined;
  const source = join(folder, 'clock.c');
  const object = join(folder, 'clock.so');
  const offset = join(folder, 'clock-offset');
  writeFileSync(source, library);
  if (spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', object, source]).status !== 0) return undefined;
  const jumpTo = (seconds: number): void => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(Math.round(seconds)));
    // In place: the process sees the file as a part of its memory.
    const file = openSync(offset, 'r+');
    writeSync(file, bytes, 0, 8, 0);
    closeSync(file);
  };
  writeFileSync(offset, Buffer.alloc(8));
  return { env: { LD_PRELOAD: object, CLOCK_OFFSET_FILE: offset }, jumpTo };
}
