import type { RecordQueue, Waiting } from "./record-queue.ts";
import type { Spool } from "./spool.ts";

const TICK_MS = 40;
/** A record that is this old and not delivered goes to the disk. */
const DUE_MS = 80;
/** At this age it goes there at once: the event loop was too busy for the tick. */
const LATE_MS = 150;

/** Puts on the disk what stays in memory too long, so that a crash loses at most the last 200 ms. */
export class Journal {
  readonly #spool: Spool;
  readonly #queue: RecordQueue;
  readonly #sending: ReadonlySet<Waiting>;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** When the oldest record that is in memory alone was accepted. */
  #oldest = Number.POSITIVE_INFINITY;

  constructor(spool: Spool, queue: RecordQueue, sending: ReadonlySet<Waiting>) {
    this.#spool = spool;
    this.#queue = queue;
    this.#sending = sending;
  }

  /** A record was accepted just now that is in memory alone. */
  watch(): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => void this.#tick(), TICK_MS).unref();
    const now = performance.now();
    this.#oldest = Math.min(this.#oldest, now);
    if (now - this.#oldest < LATE_MS) return;
    this.#oldest = this.#oldestUnsafe();
    if (now - this.#oldest >= LATE_MS) this.writeNow(now - DUE_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Writes what was accepted until `due`, at once. */
  writeNow(due: number): void {
    for (const entry of this.#unsafe(due)) {
      const place = this.#spool.writeNow(entry.record);
      if (place === undefined) break;
      entry.place = place;
    }
    this.#oldest = this.#oldestUnsafe();
  }

  async #tick(): Promise<void> {
    const entries = [...this.#unsafe(performance.now() - DUE_MS)];
    const records = entries.map(({ record }) => record);
    if (entries.length > 0) {
      await this.#spool.write(records, (place, index) => {
        const entry = entries[index];
        // It may be delivered by now, written at once, or replaced by a newer state.
        const stands = entry?.record === records[index] && entry?.place === undefined;
        if (stands && entry !== undefined && entry.state !== "gone") entry.place = place;
        else this.#spool.settle(place);
      });
    }
    if (this.#queue.bytes > this.#queue.maxBytes / 2) {
      const left = this.#queue.remove(({ place }) => place !== undefined);
      this.#spool.release(left.flatMap(({ place }) => place ?? []));
    }
    this.#oldest = this.#oldestUnsafe();
    this.#timer = undefined;
    if (this.#oldest < Number.POSITIVE_INFINITY) this.watch();
  }

  *#unsafe(due: number): Generator<Waiting> {
    for (const entry of this.#sending) if (isUnsafe(entry, due)) yield entry;
    for (const entry of this.#queue.waiting()) if (isUnsafe(entry, due)) yield entry;
  }

  #oldestUnsafe(): number {
    const [first] = this.#unsafe(Number.POSITIVE_INFINITY);
    return first?.since ?? Number.POSITIVE_INFINITY;
  }
}

function isUnsafe({ place, since }: Waiting, due: number): boolean {
  return place === undefined && since !== undefined && since <= due;
}
