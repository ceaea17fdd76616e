import type { SpanRecord } from "@spanloom/model";
import { type Linked, LinkedSet } from "../linked-set.ts";
import type { SpoolPlace } from "./spool.ts";

/** How many are sent at once. */
export const BATCH_RECORDS = 500;

/** A record on its way. */
export interface Waiting extends Linked {
  record: SpanRecord;
  bytes: number;
  state: "waiting" | "sending" | "gone";
  /** A newer state of the same span waits behind it: should it fail, it need not be sent again. */
  outdated: boolean;
  /** Where it stands on the disk, once it does. */
  place: SpoolPlace | undefined;
  /** When a spool saw it, on the monotonic clock, else 0; `undefined` when it was read back from the disk. */
  since: number | undefined;
}

/** Records that wait, oldest first, bounded in bytes. A newer state of a span takes the place of one that still waits. */
export class RecordQueue {
  readonly maxBytes: number;
  #waiting = new LinkedSet<Waiting>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get size(): number {
    return this.#waiting.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Those that wait, oldest first. */
  get waiting(): Iterable<Waiting> {
    return this.#waiting;
  }

  /** `before`: what an earlier state of the same span was put as. A reason in place of the entry: it was not taken. */
  put(record: SpanRecord, before: Waiting | undefined): Waiting | "queue_full" | "too_large" {
    const bytes = approximateBytes(record);
    if (bytes > this.maxBytes * SHARE_OF_STEPS) return "too_large";
    const replaces = before?.state === "waiting";
    const after = this.#bytes + bytes - (replaces ? before.bytes : 0);
    if (after > (endsExecution(record) ? this.maxBytes : this.maxBytes * SHARE_OF_STEPS)) return "queue_full";
    this.#bytes = after;
    if (replaces) {
      before.record = record;
      before.bytes = bytes;
      return before;
    }
    if (before?.state === "sending") before.outdated = true;
    const entry = entryOf(record, bytes, "waiting", 0);
    this.#waiting.add(entry);
    return entry;
  }

  /** Takes the oldest records out: at most `count`, and no more than `bytes` unless the first alone is larger. */
  take(count: number, bytes: number): Waiting[] {
    const batch: Waiting[] = [];
    let taken = 0;
    for (const entry of this.#waiting) {
      if (batch.length === count || (taken > 0 && taken + entry.bytes > bytes)) break;
      taken += entry.bytes;
      batch.push(this.#letGo(entry, "sending"));
    }
    return batch;
  }

  /** Puts what could not be delivered back to the front. Gives those that a newer state has replaced meanwhile. */
  putBack(batch: readonly Waiting[]): Waiting[] {
    const kept = batch.filter(({ outdated }) => !outdated);
    for (const entry of kept) {
      entry.state = "waiting";
      this.#bytes += entry.bytes;
    }
    const behind = [...this.#waiting];
    this.#waiting = new LinkedSet();
    for (const entry of [...kept, ...behind]) this.#waiting.add(entry);
    return batch.filter(({ outdated }) => outdated);
  }

  /** Lets go of those that `leave` says, and gives them. */
  remove(leave: (entry: Waiting) => boolean): Waiting[] {
    const removed: Waiting[] = [];
    for (const entry of this.#waiting) if (leave(entry)) removed.push(this.#letGo(entry, "gone"));
    return removed;
  }

  #letGo(entry: Waiting, state: Waiting["state"]): Waiting {
    entry.state = state;
    this.#bytes -= entry.bytes;
    this.#waiting.delete(entry);
    return entry;
  }
}

/** With all fields, so that all entries have one shape. */
export function entryOf(
  record: SpanRecord,
  bytes: number,
  state: Waiting["state"],
  since: Waiting["since"],
  place?: SpoolPlace,
): Waiting {
  return {
    record,
    bytes,
    state,
    outdated: false,
    place,
    since,
    before: undefined,
    after: undefined,
  };
}

/** The rest is for ends of executions: a run that seems to run for ever misleads more than a step that is missing. */
const SHARE_OF_STEPS = 0.9;

function endsExecution(record: SpanRecord): boolean {
  return record.executionStatus !== undefined && record.endTime !== undefined;
}

/** What a record of no content costs: its fixed fields and the objects around them. */
const RECORD_BYTES = 1_000;

/** About how much memory a record takes: V8 keeps Latin-1 text in one byte a character. */
function approximateBytes(record: SpanRecord): number {
  return (
    RECORD_BYTES +
    record.name.length +
    sizeOf(record.status.message) +
    sizeOf(record.attributes) +
    sizeOf(record.events) +
    sizeOf(record.links) +
    sizeOf(record.artifacts) +
    sizeOf(record.input) +
    sizeOf(record.output) +
    sizeOf(record.stateBefore) +
    sizeOf(record.stateAfter)
  );
}

function sizeOf(value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value === "string") return 16 + value.length;
  if (typeof value !== "object" || value === null) return 8;
  let bytes = 32;
  if (Array.isArray(value)) for (const member of value) bytes += sizeOf(member);
  else for (const key in value) bytes += key.length + 8 + sizeOf((value as Record<string, unknown>)[key]);
  return bytes;
}
