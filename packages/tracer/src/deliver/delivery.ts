import type { SpanRecord } from "@spanloom/model";
import type { ProblemReporter } from "../problems.ts";
import { timerMs, within } from "../wait.ts";
import { attempt, type Send } from "./attempt.ts";
import type { DeliveryStats } from "./counters.ts";
import { Ledger } from "./ledger.ts";
import { RecordQueue, type Waiting } from "./record-queue.ts";
import type { MemoryGuard, Spool } from "./spool.ts";

export interface DeliveryOptions {
  /** `store` or `otlp`, in problems. */
  name: string;
  send: Send;
  /** Last touch on a batch before it is sent. */
  prepare: (batch: SpanRecord[]) => SpanRecord[] | Promise<SpanRecord[]>;
  problems: ProblemReporter;
  maxBytes: number;
  flushIntervalMs: number;
  sendTimeoutMs: number;
  /** The disk behind the memory. */
  spool?: Spool;
}

const BATCH_RECORDS = 500;
const BATCH_BYTES = 4_000_000;
const BACK_OFF_MS = { first: 250, most: 30_000 };

/**
 * Sends records in batches in the background: bounded in memory, tried again with growing pauses, never in the way. With a
 * spool, what is not delivered soon or finds no room goes to the disk, and is read back when the other end takes it.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #queue: RecordQueue;
  readonly #ledger: Ledger;
  readonly #guard: MemoryGuard | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pumping: Promise<boolean> | undefined;
  #failures = 0;
  /** The other end asked to be left alone until then. */
  #quietUntil = 0;
  #fromDisk = false;
  /** Executions that were deleted here: what comes late for them goes nowhere. */
  readonly #deleted = new Set<string>();
  #closed = false;
  /** Of the attempt under way. */
  #aborter: AbortController | undefined;

  constructor(options: DeliveryOptions) {
    const { maxBytes, spool } = options;
    this.#options = options;
    this.#queue = new RecordQueue(maxBytes);
    this.#ledger = new Ledger(options);
    if (spool === undefined) return;
    this.#guard = spool.guard(this.#queue, this.#ledger.sending);
    spool.start(({ records, damaged }) => {
      this.#ledger.counters.recover(records, damaged);
      if (this.#pumping === undefined && this.#failures === 0) this.#schedule(0);
    });
  }

  stats(): DeliveryStats {
    let queued = 0;
    for (const { place } of this.#ledger.sending) if (place === undefined) queued++;
    for (const { place } of this.#queue.waiting()) if (place === undefined) queued++;
    return this.#ledger.counters.stats(queued, this.#options.spool?.pending ?? 0);
  }

  /** True when updates of running spans should wait: the room that is left is for ends. */
  get crowded(): boolean {
    return this.#failures > 0 || this.#queue.bytes > this.#queue.maxBytes / 2;
  }

  /** Takes a record. `before`: what this gave for an earlier state of the same span. */
  put(record: SpanRecord, before?: Waiting): Waiting | undefined {
    this.#ledger.counters.accepted++;
    if (this.#closed) {
      this.#ledger.drop("shutdown", 1);
      return undefined;
    }
    if (this.#deleted.has(record.executionId)) {
      this.#ledger.counters.drop("deleted", 1);
      return undefined;
    }
    const { spool } = this.#options;
    let place = spool?.immediate === true ? spool.writeNow(record) : undefined;
    const replaced = before?.state === "waiting" ? before.place : undefined;
    const entry = this.#queue.put(record, before, spool === undefined ? 0 : performance.now());
    if (this.#timer === undefined && this.#pumping === undefined)
      this.#schedule(
        Math.min(this.#options.flushIntervalMs, spool?.flushWithinMs ?? Number.POSITIVE_INFINITY),
      );
    // A whole batch waits for nobody: what leaves early takes no room, and little of the collector's time.
    else if (this.#queue.size === BATCH_RECORDS && this.#pumping === undefined && this.#failures === 0)
      this.#schedule(0);
    if (typeof entry === "string") {
      place ??= spool?.writeNow(record);
      if (place === undefined) this.#ledger.drop(entry, 1);
      else spool?.release([place]);
      return undefined;
    }
    if (entry === before) this.#ledger.counters.merged++;
    if (replaced !== undefined) spool?.settle(replaced);
    entry.place = place;
    if (place === undefined) this.#guard?.watch();
    return entry;
  }

  /** Sends what waits, trying again until `timeoutMs` have passed. True when all of it was delivered or refused. */
  async flush(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timerMs(timeoutMs);
    const { spool } = this.#options;
    if (spool !== undefined) await within(spool.ready, timeoutMs);
    for (let pauseMs = 50; this.#waits; pauseMs = Math.min(pauseMs * 2, 1_000)) {
      const left = deadline - performance.now();
      if (left <= 0) return false;
      const quietMs = this.#pumping === undefined ? this.#quietUntil - performance.now() : 0;
      if (quietMs > 0) {
        await within(undefined, Math.min(quietMs, left));
        continue;
      }
      const done = await within(this.#pump(), left);
      const stuck = done === false || this.#queue.size + this.#ledger.sending.size === 0;
      if (stuck && this.#waits) await within(undefined, Math.min(pauseMs, deadline - performance.now()));
    }
    return true;
  }

  /** Forgets an execution, in memory and on the disk. What is being sent just now may still arrive. */
  async deleteExecution(executionId: string): Promise<void> {
    const { counters } = this.#ledger;
    this.#deleted.add(executionId);
    // What comes later than this many deletions is for the store's tombstone.
    const [oldest] = this.#deleted;
    if (this.#deleted.size > 10_000 && oldest !== undefined) this.#deleted.delete(oldest);
    this.#ledger.forget(this.#queue.remove(({ record }) => record.executionId === executionId));
    await this.#options.spool?.deleteExecution(executionId, (from, count) => {
      counters.drop("deleted", count);
      if (from === "deadLettered") counters.deadLettered -= count;
    });
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
    this.#guard?.rescue();
    this.#guard?.stop();
    const left = this.#queue.remove(() => true);
    this.#ledger.drop("shutdown", left.filter(({ place }) => place === undefined).length);
    await this.#options.spool?.close();
    return complete;
  }

  get #waits(): boolean {
    return this.#queue.size + this.#ledger.sending.size + (this.#options.spool?.unread ?? 0) > 0;
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
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
        if (this.#timer === undefined && this.#waits) this.#schedule(this.#pauseMs());
        return done;
      });
    return this.#pumping;
  }

  async #run(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let batch = await this.#next(); batch.length > 0; batch = await this.#next()) {
      let left: Waiting[] | undefined;
      try {
        left = await this.#deliver(await this.#prepared(batch));
      } finally {
        left ??= batch.filter((entry) => this.#ledger.sending.has(entry));
        for (const entry of batch) this.#ledger.sending.delete(entry);
        this.#failures = left.length === 0 ? 0 : this.#failures + 1;
        this.#keep(left);
      }
      if (left.length > 0) return false;
    }
    return true;
  }

  /** What is in memory and what is on the disk take turns: neither waits for all of the other. */
  async #next(): Promise<Waiting[]> {
    const { spool } = this.#options;
    let batch: Waiting[] = [];
    this.#fromDisk = !this.#fromDisk;
    if (spool !== undefined && spool.unread > 0 && (this.#fromDisk || this.#queue.size === 0)) {
      const { records, lost } = await spool.read(BATCH_RECORDS, BATCH_BYTES);
      this.#ledger.counters.drop("damaged", lost);
      batch = records.map((found) => ({ ...found, state: "sending", outdated: false, since: undefined }));
    }
    batch = this.#withoutDeleted(batch);
    if (batch.length === 0) batch = this.#queue.take(BATCH_RECORDS, BATCH_BYTES);
    for (const entry of batch) this.#ledger.sending.add(entry);
    return batch;
  }

  #withoutDeleted(entries: Waiting[]): Waiting[] {
    const gone = entries.filter(({ record }) => this.#deleted.has(record.executionId));
    if (gone.length === 0) return entries;
    this.#ledger.forget(gone);
    return entries.filter((entry) => !gone.includes(entry));
  }

  /** What was not delivered waits on, in memory or on the disk. */
  #keep(left: Waiting[]): void {
    const undelivered = this.#withoutDeleted(left);
    const { spool } = this.#options;
    if (this.#closed) {
      this.#ledger.drop("shutdown", undelivered.filter(({ place }) => place === undefined).length);
      return;
    }
    for (const { place } of this.#queue.putBack(undelivered.filter(({ since }) => since !== undefined))) {
      this.#ledger.counters.merged++;
      if (place !== undefined) spool?.settle(place);
    }
    const readBack = undelivered.filter(({ since }) => since === undefined);
    spool?.release(readBack.flatMap(({ place }) => place ?? []));
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
    const failure = await this.#send(batch);
    if (failure === undefined) return [];
    // Most processes never need it.
    const { judge } = await import("./verdict.ts");
    const { retry, refused, quietMs } = await judge(batch, failure.error, this.#failures >= 2, {
      ...this.#options,
      again: (part) => this.#send(part),
    });
    this.#quietUntil = performance.now() + quietMs;
    await this.#ledger.refuse(refused);
    return retry;
  }

  /** Gives the error, or `undefined` when the batch was delivered. Never rejects, and ends within the time-out. */
  async #send(batch: readonly Waiting[]): Promise<{ error: unknown } | undefined> {
    const records = batch.map(({ record }) => record);
    this.#aborter = new AbortController();
    const outcome = await attempt(this.#options, records, this.#aborter);
    if ("error" in outcome) return outcome;
    await this.#ledger.answered(batch, outcome);
    return undefined;
  }

  #pauseMs(): number {
    if (this.#failures === 0) return this.#options.flushIntervalMs;
    const grown = Math.min(BACK_OFF_MS.most, BACK_OFF_MS.first * 2 ** (this.#failures - 1));
    return Math.max(this.#quietUntil - performance.now(), grown * (0.75 + Math.random() / 2));
  }
}
