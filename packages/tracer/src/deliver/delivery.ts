import { SpanloomError, type SpanRecord } from "@spanloom/model";
import type { ProblemReporter } from "../problems.ts";
import { timerMs, within } from "../wait.ts";
import { blamesRecords, outcomeOf, retryAfterOf } from "./blame.ts";
import { isolate } from "./isolate.ts";
import { RecordQueue, type Waiting } from "./record-queue.ts";

/** Why records were lost. */
export type DropReason =
  /** The queue was at its bound, because the other end is slow or away. */
  | "queue_full"
  /** One record alone was larger than the queue. */
  | "too_large"
  /** The other end refused the record itself, and took others. */
  | "rejected"
  /** It still waited when the tracer was shut down, or came after that. */
  | "shutdown";

/** Counters of one destination. At any moment: accepted = stored + merged + queued + all dropped. */
export interface DeliveryStats {
  /** States of spans that were handed over: each span once when it ended, and longer ones also while they ran. */
  accepted: number;
  /** Confirmed by the other end. */
  stored: number;
  /** Replaced by a newer state of the same span before they were sent. */
  merged: number;
  /** Waiting, or under way. */
  queued: number;
  dropped: Partial<Record<DropReason, number>>;
}

/** What came of a batch, once the other end has answered. */
export interface SendResult {
  /** Refused records, by their place in the batch. Everything else is delivered. */
  rejected: { index: number; code: string }[];
}

export interface DeliveryOptions {
  /** `store` or `otlp`, in problems. */
  name: string;
  /** Rejects or throws when nothing was delivered; may also never settle. */
  send: (batch: readonly SpanRecord[], signal: AbortSignal) => Promise<SendResult>;
  /** Last touch on a batch before it is sent. */
  prepare: (batch: SpanRecord[]) => SpanRecord[] | Promise<SpanRecord[]>;
  problems: ProblemReporter;
  maxBytes: number;
  flushIntervalMs: number;
  sendTimeoutMs: number;
}

const BATCH_RECORDS = 500;
const BATCH_BYTES = 4_000_000;
const BACK_OFF_MS = { first: 250, most: 30_000 };

/** Sends records in batches in the background: bounded in memory, tried again with growing pauses, never in the way. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #queue: RecordQueue;
  #accepted = 0;
  #stored = 0;
  #merged = 0;
  #inFlight = 0;
  readonly #dropped: DeliveryStats["dropped"] = {};
  #timer: NodeJS.Timeout | undefined;
  #pumping: Promise<boolean> | undefined;
  #failures = 0;
  #retryAfterMs: number | undefined;
  #closed = false;
  /** Of the attempt under way. */
  #aborter: AbortController | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#queue = new RecordQueue(options.maxBytes);
  }

  stats(): DeliveryStats {
    return {
      accepted: this.#accepted,
      stored: this.#stored,
      merged: this.#merged,
      queued: this.#queue.size + this.#inFlight,
      dropped: { ...this.#dropped },
    };
  }

  /** True when updates of running spans should wait: the room that is left is for ends. */
  get crowded(): boolean {
    return this.#failures > 0 || this.#queue.bytes > this.#queue.maxBytes / 2;
  }

  /** Takes a record. `before`: what this gave for an earlier state of the same span. */
  put(record: SpanRecord, before?: Waiting): Waiting | undefined {
    this.#accepted++;
    const entry = this.#closed ? "shutdown" : this.#queue.put(record, before);
    if (typeof entry === "string") {
      this.#drop(entry, 1);
      return undefined;
    }
    if (entry === before) this.#merged++;
    if (this.#timer === undefined && this.#pumping === undefined)
      this.#schedule(this.#options.flushIntervalMs);
    return entry;
  }

  /** Sends what waits, trying again until `timeoutMs` have passed. True when all of it was delivered or refused. */
  async flush(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timerMs(timeoutMs);
    for (let pauseMs = 50; this.#queue.size + this.#inFlight > 0; pauseMs = Math.min(pauseMs * 2, 1_000)) {
      const left = deadline - performance.now();
      if (left <= 0) return false;
      const done = await within(this.#pump(), left);
      if (done === false) await within(undefined, Math.min(pauseMs, deadline - performance.now()));
    }
    return true;
  }

  /** Breaks off what is under way, as a connection keeps a process alive. Its records wait again. */
  abort(): void {
    this.#aborter?.abort();
  }

  async shutdown(timeoutMs: number): Promise<boolean> {
    const complete = await this.flush(timeoutMs);
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // What is under way may still arrive; it is counted when it does, or when it fails.
    if (this.#queue.size > 0) {
      const left = this.#queue.size;
      this.#queue.clear();
      this.#drop("shutdown", left);
    }
    return complete;
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    // Telemetry alone must not keep the host's process alive.
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#pump();
    }, delayMs).unref();
  }

  /** One pump at a time. Gives false when the other end failed. Never rejects. */
  #pump(): Promise<boolean> {
    this.#pumping ??= this.#run()
      .catch((error: unknown) => {
        this.#options.problems.report("internal", this.#options.name, "Delivery failed; it goes on.", error);
        return false;
      })
      .then((done) => {
        this.#pumping = undefined;
        if (!this.#closed && this.#timer === undefined && this.#queue.size > 0)
          this.#schedule(this.#pauseMs());
        return done;
      });
    return this.#pumping;
  }

  async #run(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#queue.size > 0) {
      const batch = this.#queue.take(BATCH_RECORDS, BATCH_BYTES);
      this.#inFlight = batch.length;
      const undelivered = await this.#deliver(await this.#prepared(batch));
      this.#inFlight = 0;
      if (undelivered.length > 0) {
        if (this.#closed) this.#drop("shutdown", undelivered.length);
        else this.#merged += this.#queue.putBack(undelivered);
        this.#failures++;
        return false;
      }
      this.#failures = 0;
    }
    return true;
  }

  async #prepared(batch: Waiting[]): Promise<Waiting[]> {
    try {
      const records = await this.#options.prepare(batch.map(({ record }) => record));
      for (const [index, entry] of batch.entries()) entry.record = records[index] ?? entry.record;
    } catch (error) {
      const { name, problems } = this.#options;
      problems.report("internal", name, "Spans could not be priced; they are sent as they are.", error);
    }
    return batch;
  }

  /** Gives what could not be delivered and should be tried again. */
  async #deliver(batch: Waiting[]): Promise<Waiting[]> {
    const failure = await this.#attempt(batch);
    if (failure === undefined) return [];
    const { error } = failure;
    this.#reportFailure(error);
    const mayBlame = outcomeOf(error) === "refused" && (blamesRecords(error) || this.#failures >= 2);
    if (!mayBlame) return batch;
    const { retry, poison } = await isolate(batch, async (part) => {
      const failed = await this.#attempt(part);
      return failed === undefined ? "taken" : outcomeOf(failed.error);
    });
    this.#inFlight -= poison.length;
    this.#drop("rejected", poison.length);
    return retry;
  }

  /**
   * Gives the error, or `undefined` when the batch was delivered. Never rejects, and ends within the time-out. The error
   * is boxed: a store may reject with something that has a `then`, and nobody shall wait for that.
   */
  async #attempt(batch: readonly Waiting[]): Promise<{ error: unknown } | undefined> {
    const { send, sendTimeoutMs, name } = this.#options;
    const aborter = new AbortController();
    this.#aborter = aborter;
    let result: SendResult | undefined;
    try {
      const sending = send(
        batch.map(({ record }) => record),
        aborter.signal,
      );
      sending.catch(() => undefined);
      result = await within(sending, sendTimeoutMs, false);
    } catch (error) {
      this.#retryAfterMs = retryAfterOf(error);
      return { error: error ?? new Error("rejected without a reason") };
    }
    if (result === undefined) {
      aborter.abort();
      const what = `${name} gave no answer within ${sendTimeoutMs} ms.`;
      return { error: new SpanloomError("timed_out", { what }) };
    }
    this.#stored += batch.length - result.rejected.length;
    this.#inFlight = Math.max(0, this.#inFlight - batch.length);
    const refused = result.rejected.filter(({ code }) => code !== "deleted_execution");
    // Spans of an execution that was deleted are refused for good: that is no fault.
    const late = result.rejected.length - refused.length;
    if (late > 0) this.#dropped.rejected = (this.#dropped.rejected ?? 0) + late;
    this.#drop("rejected", refused.length);
    return undefined;
  }

  #reportFailure(error: unknown): void {
    const { name, problems } = this.#options;
    problems.report(
      "delivery_failed",
      name,
      `${name === "otlp" ? "The collector" : "The store"} did not take a batch of spans. They wait and are tried again.`,
      error,
    );
  }

  #pauseMs(): number {
    if (this.#failures === 0) return this.#options.flushIntervalMs;
    const grown = Math.min(BACK_OFF_MS.most, BACK_OFF_MS.first * 2 ** (this.#failures - 1));
    return Math.max(this.#retryAfterMs ?? 0, grown * (0.75 + Math.random() / 2));
  }

  #drop(reason: DropReason, count: number): void {
    if (count === 0) return;
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
    const { name, problems } = this.#options;
    problems.report("spans_dropped", name, `Spans were dropped (${reason}); stats() has the counts.`);
  }
}
