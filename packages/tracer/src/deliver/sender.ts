import type { SpanRecord } from "@spanloom/model";
import { settled, timerMs, within } from "../wait.ts";
import { attempt } from "./attempt.ts";
import { withoutDeleted } from "./delete-execution.ts";
import type { Delivery } from "./delivery.ts";
import { BATCH_RECORDS, entryOf, type Waiting } from "./record-queue.ts";

const BATCH_BYTES = 4_000_000;
const BACK_OFF_MS = { first: 250, most: 30_000 };
const PRICES_TIMEOUT_MS = 2_000;

/** Sends the records of a delivery in batches, and tries again with growing pauses what was not taken. */
export class Sender {
  readonly #delivery: Delivery;
  /** The other end asked to be left alone until then. */
  #quietUntil = 0;
  #fromDisk = false;
  /** Of the attempt under way. */
  #aborter: AbortController | undefined;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  async flush(timeoutMs: number): Promise<boolean> {
    const delivery = this.#delivery;
    const { queue, ledger, options } = delivery;
    const deadline = performance.now() + timerMs(timeoutMs);
    if (options.spool !== undefined) await within(options.spool.ready, timeoutMs);
    for (let pauseMs = 50; delivery.left > 0; pauseMs = Math.min(pauseMs * 2, 1_000)) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      const quietMs = delivery.isPumping ? 0 : this.#quietUntil - performance.now();
      if (quietMs > 0) {
        await within(undefined, Math.min(quietMs, leftMs));
        continue;
      }
      const done = await within(delivery.pump(), leftMs);
      const stuck = done === false || queue.size + ledger.sending.size === 0;
      if (stuck && delivery.left > 0)
        await within(undefined, Math.min(pauseMs, deadline - performance.now()));
    }
    return true;
  }

  abort(): void {
    this.#aborter?.abort();
  }

  /** What is under way may still arrive; it is counted when it does, or when it fails. */
  async close(): Promise<void> {
    const { ledger, queue, options } = this.#delivery;
    options.spool?.rescue();
    const left = queue.remove(() => true);
    ledger.drop("shutdown", left.filter(({ place }) => place === undefined).length);
    await options.spool?.close();
  }

  /** Until nothing waits, or the other end fails: then false. */
  async run(): Promise<boolean> {
    const delivery = this.#delivery;
    const { sending } = delivery.ledger;
    for (let batch = await this.#next(); batch.length > 0; batch = await this.#next()) {
      let left: Waiting[] | undefined;
      try {
        left = await this.#deliver(await this.#priced(batch));
      } finally {
        left ??= batch.filter((entry) => entry.state === "sending");
        for (const entry of batch) sending.delete(entry);
        delivery.failures = left.length === 0 ? 0 : delivery.failures + 1;
        this.#keep(left);
      }
      if (left.length > 0) return false;
    }
    return true;
  }

  pauseMs(): number {
    const { failures, options } = this.#delivery;
    if (failures === 0) return options.flushIntervalMs;
    const grown = Math.min(BACK_OFF_MS.most, BACK_OFF_MS.first * 2 ** (failures - 1));
    return Math.max(this.#quietUntil - performance.now(), grown * (0.75 + Math.random() / 2));
  }

  /** What is in memory and what is on the disk take turns: neither waits for all of the other. */
  async #next(): Promise<Waiting[]> {
    const { queue, ledger, options } = this.#delivery;
    const { spool } = options;
    let batch: Waiting[] = [];
    this.#fromDisk = !this.#fromDisk;
    if (spool !== undefined && spool.unread > 0 && (this.#fromDisk || queue.size === 0)) {
      const { records, lost } = await spool.read(BATCH_RECORDS, BATCH_BYTES);
      ledger.lose("damaged", lost);
      batch = records.map(({ record, bytes, place }) => entryOf(record, bytes, "sending", undefined, place));
    }
    batch = withoutDeleted(this.#delivery, batch);
    if (batch.length === 0) batch = queue.take(BATCH_RECORDS, BATCH_BYTES);
    for (const entry of batch) ledger.sending.add(entry);
    return batch;
  }

  /** What was not delivered waits on, in memory or on the disk. */
  #keep(left: Waiting[]): void {
    const undelivered = withoutDeleted(this.#delivery, left);
    const { closed, queue, ledger, options } = this.#delivery;
    const { spool } = options;
    if (closed) {
      ledger.drop("shutdown", undelivered.filter(({ place }) => place === undefined).length);
      return;
    }
    for (const { place } of queue.putBack(undelivered.filter(({ since }) => since !== undefined))) {
      ledger.counters.merged++;
      if (place !== undefined) spool?.settle(place);
    }
    const readBack = undelivered.filter(({ since }) => since === undefined);
    spool?.release(readBack.flatMap(({ place }) => place ?? []));
  }

  async #priced(batch: Waiting[]): Promise<Waiting[]> {
    const { pipeline, name, problems } = this.#delivery.options;
    try {
      if (!batch.some(({ record }) => isUnpriced(record))) return batch;
      if (!pipeline.priced) await settled(pipeline.ready, PRICES_TIMEOUT_MS);
      for (const entry of batch) entry.record = pipeline.price(entry.record);
    } catch (error) {
      problems.report("internal", name, "Spans could not be priced; they are sent as they are.", error);
    }
    return batch;
  }

  /** Gives what could not be delivered and should be tried again. */
  async #deliver(batch: Waiting[]): Promise<Waiting[]> {
    const { failures, ledger, options } = this.#delivery;
    const failure = await this.#send(batch);
    if (failure === undefined) return [];
    // Most processes never need it.
    const { judge } = await import("./verdict.ts");
    const { retry, quietMs } = await judge(batch, failure.error, failures >= 2, {
      ...options,
      ledger,
      again: (part) => this.#send(part),
    });
    this.#quietUntil = performance.now() + quietMs;
    return retry;
  }

  /** Gives the error, or `undefined` when the batch was delivered. Never rejects, and ends within the time-out. */
  async #send(batch: readonly Waiting[]): Promise<{ error: unknown } | undefined> {
    const { ledger, options } = this.#delivery;
    const records = batch.map(({ record }) => record);
    this.#aborter = new AbortController();
    const outcome = await attempt(options, records, this.#aborter);
    if ("error" in outcome) return outcome;
    if (outcome.rejected.length > 0 || outcome.rejectedUnnamed) {
      const { settleRejected } = await import("./refusals.ts");
      await settleRejected(batch, outcome, ledger);
    } else ledger.stored(batch);
    return undefined;
  }
}

/** Ended before the price table was there, which is loaded when the first span needs it. */
function isUnpriced({ usage, cost }: SpanRecord): boolean {
  return usage !== undefined && cost === undefined;
}
