import type { SpanRecord } from "@spanloom/model";
import type { Pipeline } from "@spanloom/pipeline";
import type { ProblemReporter } from "../problems.ts";
import type { Send } from "./attempt.ts";
import type { DeliveryStats } from "./counters.ts";
import { Ledger } from "./ledger.ts";
import { BATCH_RECORDS, RecordQueue, type Waiting } from "./record-queue.ts";
import type { Sender } from "./sender.ts";
import type { Spool } from "./spool.ts";

export interface DeliveryOptions {
  /** `store` or `otlp`, in problems. */
  name: string;
  send: Send;
  /** Prices what ended before the prices were there. */
  pipeline: Pipeline;
  problems: ProblemReporter;
  maxBytes: number;
  flushIntervalMs: number;
  sendTimeoutMs: number;
  /** The disk behind the memory. */
  spool?: Spool | undefined;
}

/**
 * Takes records, bounded in memory, and has them sent in batches in the background: never in the way. With a spool, what
 * is not delivered soon or finds no room goes to the disk, and is read back when the other end takes it. What sends is
 * loaded with the first batch, so that a host that starts waits for none of it.
 */
export class Delivery {
  readonly options: DeliveryOptions;
  readonly queue: RecordQueue;
  readonly ledger: Ledger;
  /** Attempts that failed since the last one that did not. */
  failures = 0;
  /** Executions that were deleted here: what comes late for them goes nowhere. */
  readonly deleted: Set<string> = new Set();
  /** Nothing is taken any more. */
  closed = false;
  #timer: NodeJS.Timeout | undefined;
  #pumping: Promise<boolean> | undefined;
  #sender: Sender | undefined;

  constructor(options: DeliveryOptions) {
    const { maxBytes, spool } = options;
    this.options = options;
    this.queue = new RecordQueue(maxBytes);
    this.ledger = new Ledger(options);
    spool?.start(this.queue, this.ledger.sending, ({ records, damaged }) => {
      // What an earlier process left: records that can be read, and lines that cannot.
      this.ledger.counters.accepted += records + damaged;
      this.ledger.counters.recovered += records + damaged;
      this.ledger.lose("damaged", damaged);
      if (!this.isPumping && this.failures === 0) this.#schedule(0);
    });
  }

  stats(): DeliveryStats {
    const here = [...this.ledger.sending, ...this.queue.waiting];
    return this.ledger.stats(here.filter(({ place }) => place === undefined).length);
  }

  /** True when updates of running spans should wait: the room that is left is for ends. */
  get crowded(): boolean {
    return this.failures > 0 || this.queue.bytes > this.queue.maxBytes / 2;
  }

  /** How many records are not delivered. */
  get left(): number {
    return this.queue.size + this.ledger.sending.size + (this.options.spool?.unread ?? 0);
  }

  get isPumping(): boolean {
    return this.#pumping !== undefined;
  }

  /** Takes a record. `before`: what this gave for an earlier state of the same span. */
  put(record: SpanRecord, before?: Waiting): Waiting | undefined {
    this.ledger.counters.accepted++;
    if (this.closed) {
      this.ledger.drop("shutdown", 1);
      return undefined;
    }
    if (this.deleted.has(record.executionId)) {
      this.ledger.lose("deleted", 1);
      return undefined;
    }
    const { spool, flushIntervalMs } = this.options;
    const entry =
      spool === undefined
        ? this.queue.put(record, before)
        : spool.admit(record, before, () => this.queue.put(record, before));
    // A whole batch waits for nobody: what leaves early takes no room, and little of the collector's time.
    const isWhole = this.queue.size === BATCH_RECORDS && this.failures === 0;
    if (!this.isPumping && (isWhole || this.#timer === undefined))
      this.#schedule(isWhole ? 0 : Math.min(flushIntervalMs, spool?.flushWithinMs ?? flushIntervalMs));
    if (typeof entry === "string") {
      this.ledger.drop(entry, 1);
      return undefined;
    }
    if (entry !== undefined && entry === before) this.ledger.counters.merged++;
    return entry;
  }

  /** Sends what waits, trying again until `timeoutMs` have passed. True when all of it was delivered or refused. */
  flush(timeoutMs: number): Promise<boolean> {
    return this.#ask((sender) => sender.flush(timeoutMs));
  }

  /** Breaks off what is under way, as a connection keeps a process alive. Its records wait again. */
  abort(): void {
    this.#sender?.abort();
  }

  async shutdown(timeoutMs: number): Promise<boolean> {
    const complete = await this.flush(timeoutMs);
    this.closed = true;
    clearTimeout(this.#timer);
    await this.#sender?.close();
    return complete;
  }

  /** One pump at a time. Gives false when the other end failed. Never rejects. */
  pump(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pumping ??= this.#pump();
    return this.#pumping;
  }

  async #pump(): Promise<boolean> {
    const done = await this.#ask((sender) => sender.run());
    this.#pumping = undefined;
    if (this.#timer === undefined && this.left > 0)
      this.#schedule(this.#sender?.pauseMs() ?? this.options.flushIntervalMs);
    return done;
  }

  /** Never rejects. */
  async #ask(work: (sender: Sender) => Promise<boolean>): Promise<boolean> {
    try {
      const { Sender } = await import("./sender.ts");
      this.#sender ??= new Sender(this);
      return await work(this.#sender);
    } catch (error) {
      const { problems, name } = this.options;
      problems.report("internal", name, "Delivery failed; it goes on.", error);
      return false;
    }
  }

  #schedule(delayMs: number): void {
    if (this.closed) return;
    clearTimeout(this.#timer);
    // Telemetry alone must not keep the host's process alive.
    this.#timer = setTimeout(() => void this.pump(), delayMs).unref();
  }
}
