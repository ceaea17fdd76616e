import type { Attributes, SpanRecord } from "@spanloom/model";
import type { SpoolPlace } from "./spool.ts";

/** How many are sent at once. */
export const BATCH_RECORDS = 500;

/** A record on its way. */
export interface Waiting {
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
  #waiting: Waiting[] = [];
  /** Everything before it was taken. */
  #head = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get size(): number {
    return this.#waiting.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Those that wait, oldest first. */
  *waiting(): Generator<Waiting> {
    for (let index = this.#head; index < this.#waiting.length; index++) yield this.#waiting[index] as Waiting;
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
    const entry: Waiting = { record, bytes, state: "waiting", outdated: false, place: undefined, since: 0 };
    this.#waiting.push(entry);
    return entry;
  }

  /** Takes the oldest records out: at most `count`, and no more than `bytes` unless the first alone is larger. */
  take(count: number, bytes: number): Waiting[] {
    const from = this.#head;
    let taken = 0;
    while (this.#head < this.#waiting.length && this.#head - from < count) {
      const entry = this.#waiting[this.#head];
      if (entry === undefined || (taken > 0 && taken + entry.bytes > bytes)) break;
      taken += entry.bytes;
      entry.state = "sending";
      this.#head++;
    }
    this.#bytes -= taken;
    const batch = this.#waiting.slice(from, this.#head);
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
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
    this.#waiting = [...kept, ...this.#waiting.slice(this.#head)];
    this.#head = 0;
    return batch.filter(({ outdated }) => outdated);
  }

  /** Lets go of those that `leave` says, and gives them. */
  remove(leave: (entry: Waiting) => boolean): Waiting[] {
    const removed: Waiting[] = [];
    const kept: Waiting[] = [];
    for (const entry of this.waiting()) (leave(entry) ? removed : kept).push(entry);
    for (const entry of removed) {
      entry.state = "gone";
      this.#bytes -= entry.bytes;
    }
    this.#waiting = kept;
    this.#head = 0;
    return removed;
  }
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
  let bytes = RECORD_BYTES + sizeOfAttributes(record.attributes) + record.name.length;
  if (record.status.message !== undefined) bytes += record.status.message.length;
  if (record.artifacts !== undefined) bytes += sizeOf(record.artifacts);
  for (const event of record.events) bytes += 100 + sizeOf(event.attributes);
  for (const link of record.links) bytes += 150 + sizeOf(link.attributes);
  if (record.input !== undefined) bytes += sizeOf(record.input);
  if (record.output !== undefined) bytes += sizeOf(record.output);
  if (record.stateBefore !== undefined) bytes += sizeOf(record.stateBefore);
  if (record.stateAfter !== undefined) bytes += sizeOf(record.stateAfter);
  return bytes;
}

function sizeOfAttributes(attributes: Attributes): number {
  let bytes = 0;
  for (const key in attributes) {
    const value = attributes[key];
    bytes += 32 + (typeof value === "string" ? value.length : typeof value === "object" ? sizeOf(value) : 8);
  }
  return bytes;
}

function sizeOf(value: unknown): number {
  if (typeof value === "string") return 16 + value.length;
  if (typeof value !== "object" || value === null) return 8;
  let bytes = 32;
  if (Array.isArray(value)) for (const member of value) bytes += sizeOf(member);
  else for (const key in value) bytes += key.length + 8 + sizeOf((value as Record<string, unknown>)[key]);
  return bytes;
}
