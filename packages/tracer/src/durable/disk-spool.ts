import { createHash } from "node:crypto";
import { join } from "node:path";
import { SpanloomError, type SpanRecord } from "@spanloom/model";
import { DeadLetters, type Place, SpillLog } from "@spanloom/pipeline/durable";
import type { Durability, Refused, Spool, SpoolPlace } from "../deliver/spool.ts";
import type { ProblemReporter } from "../problems.ts";
import { DUE_MS, Journal } from "./journal.ts";

export interface DiskSpoolOptions {
  /** A directory on a disk of this machine. All processes of a host may share one; use another for each store. */
  directory: string;
  /**
   * `batched` (default): a record that was not delivered within 100 ms goes to the disk, so that a crash loses at most
   * what was accepted in the last 200 ms; a store that keeps up costs no disk at all. `immediate`: each record is written
   * before it is accepted, so that a crash of the process loses nothing; that is one call of the system for each.
   */
  mode?: "batched" | "immediate";
  /** Most that waiting records may take on the disk, for each destination. Default 256 MB; then memory is used again. */
  maxBytes?: number;
  /** When records are safe from a loss of power as well. `background` (default): a second later. `always`; `never`. */
  fsync?: "background" | "always" | "never";
}

const LOOK_INTERVAL_MS = 30_000;
/** How long a disk that failed is left alone. */
const DISK_PAUSE_MS = 1_000;

/**
 * Keeps what cannot be delivered on the disk, for this process or the next one. Throws `invalid_argument` for options that
 * cannot work.
 */
export function createDiskSpool(options: DiskSpoolOptions): Durability {
  const { directory, mode = "batched", maxBytes } = options;
  const valid =
    typeof directory === "string" &&
    directory !== "" &&
    (mode === "batched" || mode === "immediate") &&
    (maxBytes === undefined || (Number.isSafeInteger(maxBytes) && maxBytes > 0));
  if (!valid) {
    throw new SpanloomError("invalid_argument", {
      what: "The options of the disk spool are not usable.",
      fix: 'Give a `directory`, a `mode` of "batched" or "immediate", and whole bytes as `maxBytes`.',
    });
  }
  return {
    open: ({ scope, destination, problems }) =>
      new DiskSpool(spoolDirectory(directory, scope, destination), options, destination, problems),
  };
}

/** Where the records stand that a destination refused; `readDeadLetters` and `redriveDeadLetters` take it. */
export function deadLetterDirectory(options: {
  directory: string;
  /** Default `store`. */
  destination?: "store" | "otlp";
  /** As given to the tracer. Default `default`. */
  scope?: string;
}): string {
  const { directory, destination = "store", scope = "default" } = options;
  return join(spoolDirectory(directory, scope, destination), "dead-letters");
}

/** Tenants never share a directory: a digest tells scopes apart that a disk would take for one name. */
function spoolDirectory(directory: string, scope: string, destination: string): string {
  const readable = scope.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, 40);
  const digest = createHash("sha256").update(scope).digest("hex").slice(0, 12);
  return join(directory, `${readable}-${digest}`, destination);
}

class DiskSpool implements Spool {
  readonly flushWithinMs: number = DUE_MS;
  ready: Promise<void> = Promise.resolve();
  /** Every record is on the disk before it counts as accepted. */
  readonly #immediate: boolean;
  readonly #log: SpillLog;
  readonly #letters: DeadLetters;
  readonly #destination: string;
  readonly #problems: ProblemReporter;
  #failedAt = Number.NEGATIVE_INFINITY;
  #looking: NodeJS.Timeout | undefined;
  #journal: Journal | undefined;

  constructor(directory: string, options: DiskSpoolOptions, destination: string, problems: ProblemReporter) {
    const { mode, maxBytes, fsync } = options;
    this.#immediate = mode === "immediate";
    this.#log = new SpillLog({ directory, maxBytes, fsync });
    this.#letters = new DeadLetters({ directory: join(directory, "dead-letters"), maxBytes });
    this.#destination = destination;
    this.#problems = problems;
  }

  get pending(): number {
    return this.#log.pending;
  }

  get unread(): number {
    return this.#log.unread;
  }

  start(...[queue, sending, found]: Parameters<Spool["start"]>): void {
    this.#journal = new Journal(this, queue, sending);
    const look = async (): Promise<void> => {
      try {
        const count = await this.#log.takeOver();
        if (count.damaged > 0) this.#reportDamage(count.damaged);
        if (count.records + count.damaged > 0) found(count);
      } catch (error) {
        this.#reportDisk(error);
      }
    };
    this.ready = look();
    this.#looking = setInterval(() => {
      this.ready = this.ready.then(look);
    }, LOOK_INTERVAL_MS).unref();
  }

  admit(...[record, before, put]: Parameters<Spool["admit"]>): ReturnType<Spool["admit"]> {
    let place = this.#immediate ? this.writeNow(record) : undefined;
    const replaced = before?.state === "waiting" ? before.place : undefined;
    const entry = put();
    if (typeof entry === "string") {
      place ??= this.writeNow(record);
      if (place === undefined) return entry;
      this.release([place]);
      return undefined;
    }
    if (replaced !== undefined) this.settle(replaced);
    if (entry !== before) entry.since = performance.now();
    entry.place = place;
    if (place === undefined) this.#journal?.watch();
    return entry;
  }

  /** `undefined` when the disk would not. The record is held in memory until `release`. */
  writeNow(record: SpanRecord): SpoolPlace | undefined {
    if (performance.now() - this.#failedAt < DISK_PAUSE_MS) return undefined;
    try {
      return this.#log.appendSync(record);
    } catch (error) {
      this.#reportDisk(error);
      return undefined;
    }
  }

  async write(
    records: readonly SpanRecord[],
    written: (place: SpoolPlace, index: number) => void,
  ): Promise<void> {
    if (performance.now() - this.#failedAt < DISK_PAUSE_MS) return;
    try {
      await this.#log.append(records, written);
    } catch (error) {
      this.#reportDisk(error);
    }
  }

  settle(place: SpoolPlace): void {
    this.#log.settle(place as Place);
  }

  release(places: readonly SpoolPlace[]): void {
    this.#log.release(places as Place[]);
  }

  async read(count: number, bytes: number): ReturnType<Spool["read"]> {
    const result = await this.#log.read(count, bytes);
    if (result.lost > 0) this.#reportDamage(result.lost);
    return result;
  }

  async bury(refused: readonly Refused[]): Promise<boolean> {
    const time = new Date().toISOString();
    try {
      await this.#letters.write(refused.map(({ record, code, reason }) => ({ time, code, reason, record })));
    } catch (error) {
      this.#reportDisk(error);
      return false;
    }
    this.#problems.report(
      "dead_lettered",
      this.#destination,
      `Spans were refused for good (${refused[0]?.code}) and set apart in ${this.#letters.path}.`,
    );
    return true;
  }

  rescue(): void {
    this.#journal?.rescue();
    this.#journal?.stop();
  }

  async deleteExecution(...[executionId, gone]: Parameters<Spool["deleteExecution"]>): Promise<void> {
    // What is being taken over just now belongs to it as well.
    await this.ready;
    await this.#log.deleteExecution(executionId, (count) => gone("spilled", count));
    const { removed } = await this.#letters.rewrite((record) =>
      record.executionId === executionId ? undefined : record,
    );
    gone("deadLettered", removed);
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    await this.ready;
    try {
      await this.#log.close();
    } catch (error) {
      this.#reportDisk(error);
    }
  }

  #reportDisk(error: unknown): void {
    this.#failedAt = performance.now();
    this.#problems.report(
      "log_failed",
      this.#destination,
      "The spill log could not be used; spans wait in memory as long as there is room.",
      error,
    );
  }

  #reportDamage(count: number): void {
    this.#problems.report(
      "log_damaged",
      this.#destination,
      `${count} span${count === 1 ? "" : "s"} in the spill log could not be read; the others are delivered.`,
    );
  }
}
