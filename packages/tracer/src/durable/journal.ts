import type { SpanRecord } from "@spanloom/model";
import type { RecordQueue, Waiting } from "../deliver/record-queue.ts";
import type { SpoolPlace } from "../deliver/spool.ts";
import { rescueAtExit } from "./rescue-at-exit.ts";

/** What the journal asks of a spool. Nothing of it throws or rejects. */
interface Disk {
  /** `undefined` when the disk would not. */
  writeNow(record: SpanRecord): SpoolPlace | undefined;
  /** Writes records in the background; `written` is called for each as soon as it is safe. */
  write(records: readonly SpanRecord[], written: (place: SpoolPlace, index: number) => void): Promise<void>;
  settle(place: SpoolPlace): void;
  release(places: readonly SpoolPlace[]): void;
}

const TICK_MS = 40;
/** A record that is this old and not delivered goes to the disk. */
export const DUE_MS = 80;
/** At this age it goes there at once: the event loop was too busy for the tick. */
const LATE_MS = 150;

/** Puts on the disk what stays in memory too long, so that a crash loses at most the last 200 ms. */
export class Journal {
  readonly #disk: Disk;
  readonly #queue: RecordQueue;
  readonly #sending: Iterable<Waiting>;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  readonly #forgetExit: () => void;
  /** When the oldest record that is in memory alone was accepted. */
  #oldest = Number.POSITIVE_INFINITY;

  constructor(disk: Disk, queue: RecordQueue, sending: Iterable<Waiting>) {
    this.#disk = disk;
    this.#queue = queue;
    this.#sending = sending;
    this.#forgetExit = rescueAtExit(() => this.rescue());
  }

  /** A record was accepted just now that is in memory alone. */
  watch(): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => void this.#tick(), TICK_MS).unref();
    const now = performance.now();
    this.#oldest = Math.min(this.#oldest, now);
    if (now - this.#oldest < LATE_MS) return;
    this.#oldest = this.#oldestUnsafe();
    if (now - this.#oldest >= LATE_MS) this.#writeNow(now - DUE_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#forgetExit();
    clearTimeout(this.#timer);
  }

  /** Writes everything that is in memory alone, at once. */
  rescue(): void {
    this.#writeNow(Number.POSITIVE_INFINITY);
  }

  /** Writes what was accepted until `due`, at once. */
  #writeNow(due: number): void {
    for (const entry of this.#unsafe(due)) {
      const place = this.#disk.writeNow(entry.record);
      if (place === undefined) break;
      entry.place = place;
    }
    this.#oldest = this.#oldestUnsafe();
  }

  async #tick(): Promise<void> {
    const entries = [...this.#unsafe(performance.now() - DUE_MS)];
    const records = entries.map(({ record }) => record);
    if (entries.length > 0) {
      await this.#disk.write(records, (place, index) => {
        const entry = entries[index];
        // It may be delivered by now, written at once, or replaced by a newer state.
        const stands = entry?.record === records[index] && entry?.place === undefined;
        if (stands && entry !== undefined && entry.state !== "gone") entry.place = place;
        else this.#disk.settle(place);
      });
    }
    if (this.#queue.bytes > this.#queue.maxBytes / 2) {
      const left = this.#queue.remove(({ place }) => place !== undefined);
      this.#disk.release(left.flatMap(({ place }) => place ?? []));
    }
    this.#oldest = this.#oldestUnsafe();
    this.#timer = undefined;
    if (this.#oldest < Number.POSITIVE_INFINITY) this.watch();
  }

  *#unsafe(due: number): Generator<Waiting> {
    for (const entry of this.#sending) if (isUnsafe(entry, due)) yield entry;
    for (const entry of this.#queue.waiting) if (isUnsafe(entry, due)) yield entry;
  }

  #oldestUnsafe(): number {
    const [first] = this.#unsafe(Number.POSITIVE_INFINITY);
    return first?.since ?? Number.POSITIVE_INFINITY;
  }
}

function isUnsafe({ place, since }: Waiting, due: number): boolean {
  return place === undefined && since !== undefined && since <= due;
}
