import { setMaxListeners } from 'node:events';
import { Refusal } from '../wire/refusal.js';
import type { Tenant } from '../base/tenant.js';
import { isRecord, type Frame, type ResponseObject } from '../wire/wire.js';

/** How a background turn reaches its job instead of a client. */
export interface BackgroundSink {
  readonly signal: AbortSignal;
  send(frame: Frame): undefined;
  finish(): void;
  refuse(refusal: Refusal): void;
}

/** Jobs whose response is not in the memory (failed, cancelled) are kept up to this number; the oldest go first. */
const maxEndedJobs = 1000;

/** One response that is made without a client waiting for it (`background: true`): its events so far, for whoever asks. */
export class BackgroundJob {
  readonly #abort = new AbortController();
  readonly #frames: Frame[] = [];
  readonly #onGrowth: (bytes: number) => void;
  readonly #changed = new EventTarget();
  #response: ResponseObject | undefined;
  #ended = false;
  #bytes = 0;

  readonly tenant: Tenant;

  constructor(tenant: Tenant, onGrowth: (bytes: number) => void) {
    this.tenant = tenant;
    this.#onGrowth = onGrowth;
    // Any number of clients may follow one job.
    setMaxListeners(0, this.#changed);
  }

  /** The state it began in, with which the create is answered. */
  begun: ResponseObject | undefined;

  /** The latest state; undefined before `response.created`. */
  get response(): ResponseObject | undefined {
    return this.#response;
  }

  /** Of its events so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Stops a running job; one that has ended stays as it is. */
  cancel(): void {
    if (this.#ended || this.#response === undefined) return;
    const response = { ...this.#response, status: 'cancelled' };
    const type = 'response.cancelled';
    this.#append({ type, text: JSON.stringify({ type, sequence_number: this.#frames.length, response }) });
    this.stop();
  }

  /** Ends it without a word, when the emulator closes. */
  stop(): void {
    this.#abort.abort();
    this.#end();
  }

  /** The events from the given place on, then those to come, to the last one. */
  async *follow(from: number, signal: AbortSignal): AsyncGenerator<Frame> {
    for (let next = from; !signal.aborted; next += 1) {
      while (next >= this.#frames.length && !this.#ended) await this.#change(signal);
      const frame = this.#frames[next];
      if (frame === undefined) return;
      yield frame;
    }
  }

  sink(began: () => void, refused: (refusal: Refusal) => void): BackgroundSink {
    return {
      signal: this.#abort.signal,
      send: (frame) => {
        this.#append(frame);
        if (frame.type === 'response.created') began();
        return undefined;
      },
      finish: () => this.#end(),
      refuse: (refusal) => {
        this.#end();
        refused(refusal);
      },
    };
  }

  #append(frame: Frame): void {
    if (this.#ended) return;
    this.#frames.push(frame);
    const bytes = Buffer.byteLength(frame.text);
    this.#bytes += bytes;
    this.#onGrowth(bytes);
    const event: unknown = JSON.parse(frame.text);
    const response = isRecord(event) ? event['response'] : undefined;
    if (isResponse(response)) this.#response = response;
    this.begun ??= this.#response;
    this.#changed.dispatchEvent(new Event('change'));
  }

  #end(): void {
    this.#ended = true;
    this.#changed.dispatchEvent(new Event('change'));
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const gone = () => reject(new Error('The client has gone.'));
      signal.addEventListener('abort', gone, { once: true });
      this.#changed.addEventListener(
        'change',
        () => {
          signal.removeEventListener('abort', gone);
          resolve();
        },
        { once: true },
      );
    });
  }
}

/** The background responses of one emulator. */
export class BackgroundJobs {
  readonly #jobs = new Map<string, BackgroundJob>();
  readonly #limitBytes: number;
  #bytes = 0;

  /** Above `limitBytes` of events, jobs that have ended are forgotten, and no new one is begun. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /**
   * Runs a turn in the background and resolves with its job once it has an id.
   *
   * @throws Refusal if the turn is refused instead, or the events of those that run take up all room
   */
  async begin(tenant: Tenant, run: (sink: BackgroundSink) => Promise<void>): Promise<BackgroundJob> {
    this.#makeRoom();
    if (this.#bytes > this.#limitBytes) {
      const message = 'The events of the background responses that run take up all room; wait for one to end.';
      throw new Refusal(message, { status: 429, code: 'rate_limit_exceeded' });
    }
    const job = new BackgroundJob(tenant, (bytes) => void (this.#bytes += bytes));
    await new Promise<void>((resolve, reject) => {
      // `run` never rejects, and a job that it leaves without an end (a fault, a cancelled turn) has ended with it.
      const began = () => {
        this.#keep(job);
        resolve();
      };
      void run(job.sink(began, reject)).finally(() => {
        job.stop();
        if (job.response === undefined) this.#bytes -= job.bytes;
        this.#dropIfStored(job);
        reject(new Refusal('The turn ended before it began.', { status: 500 }));
      });
    });
    return job;
  }

  find(id: string, tenant: Tenant): BackgroundJob | undefined {
    const found = this.#jobs.get(id);
    return found?.tenant === tenant ? found : undefined;
  }

  forget(id: string): void {
    this.#jobs.get(id)?.stop();
    this.#drop(id);
  }

  /** Ends what still runs. */
  close(): void {
    for (const job of this.#jobs.values()) job.stop();
  }

  /** What has been stored is found there: only the others stay. */
  #dropIfStored({ response }: BackgroundJob): void {
    if (response?.status === 'completed' || response?.status === 'incomplete') this.#drop(response.id);
    this.#makeRoom();
  }

  #keep(job: BackgroundJob): void {
    if (job.response === undefined) return;
    this.#jobs.set(job.response.id, job);
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const [id, { ended }] of this.#jobs) {
      if (this.#jobs.size <= maxEndedJobs && this.#bytes <= this.#limitBytes) return;
      if (ended) this.#drop(id);
    }
  }

  #drop(id: string): void {
    this.#bytes -= this.#jobs.get(id)?.bytes ?? 0;
    this.#jobs.delete(id);
  }
}

function isResponse(value: unknown): value is ResponseObject {
  return isRecord(value) && typeof value['id'] === 'string' && typeof value['status'] === 'string';
}
