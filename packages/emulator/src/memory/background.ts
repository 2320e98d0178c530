import { setMaxListeners } from 'node:events';
import { Refusal } from '../wire/refusal.js';
import type { Tenant } from '../base/tenant.js';
import { isRecord, type Frame, type ResponseObject } from '../wire/wire.js';

/** The sink of a background turn, whose events go to its job instead of a client. */
export interface BackgroundSink {
  readonly signal: AbortSignal;
  send(frame: Frame): undefined;
  finish(): void;
  refuse(refusal: Refusal): void;
}

/** The maximum number of ended jobs whose response is not stored (failed, cancelled). The oldest are dropped first. */
const maxEndedJobs = 1000;

/** A response that is made while no client waits for it (`background: true`), with its events so far. */
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
    // Any number of clients may follow one job, and each is a listener.
    setMaxListeners(0, this.#changed);
  }

  /** The first state of the response, which answers the create. */
  begun: ResponseObject | undefined;

  /** The latest state of the response; undefined before `response.created`. */
  get response(): ResponseObject | undefined {
    return this.#response;
  }

  /** The size of the events so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Cancels a running job, with `response.cancelled`. A job that has ended is not changed. */
  cancel(): void {
    if (this.#ended || this.#response === undefined) return;
    const response = { ...this.#response, status: 'cancelled' };
    const type = 'response.cancelled';
    this.#append({ type, text: JSON.stringify({ type, sequence_number: this.#frames.length, response }) });
    this.stop();
  }

  /** Ends the job without a further event. */
  stop(): void {
    this.#abort.abort();
    this.#end();
  }

  /** The events from the index `from` on, including those that are still to come. */
  async *follow(from: number, signal: AbortSignal): AsyncGenerator<Frame> {
    for (let next = from; !signal.aborted; next += 1) {
      while (next >= this.#frames.length && !this.#ended) await this.#change(signal);
      const frame = this.#frames[next];
      if (frame === undefined) return;
      yield frame;
    }
  }

  /** The sink of the turn of this job. `began` is called at `response.created`, `refused` if the turn is refused instead. */
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

  /** `limitBytes` bounds the events of all jobs. Beyond it, ended jobs are dropped; if running jobs alone exceed it, no new one begins. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /**
   * Runs a turn in the background. Resolves with the job of the turn once its response has an id.
   *
   * @throws Refusal if the turn is refused, or if the events of the running jobs have reached the limit
   */
  async begin(tenant: Tenant, run: (sink: BackgroundSink) => Promise<void>): Promise<BackgroundJob> {
    this.#makeRoom();
    if (this.#bytes > this.#limitBytes) {
      const message = 'The events of the background responses that run take up all room; wait for one to end.';
      throw new Refusal(message, { status: 429, code: 'rate_limit_exceeded' });
    }
    const job = new BackgroundJob(tenant, (bytes) => void (this.#bytes += bytes));
    await new Promise<void>((resolve, reject) => {
      // `run` never rejects. A job whose turn has no terminal event (a fault, a cancelled turn) ends when `run` does.
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

  /** Ends all running jobs. */
  close(): void {
    for (const job of this.#jobs.values()) job.stop();
  }

  /** Drops an ended job whose response was stored, because requests find that response in the memory. */
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
