import { type SpanRecord, spanKey } from "@spanloom/model";

interface Entry {
  record: SpanRecord;
  bytes: number;
}

/** Records that wait, oldest first, bounded in bytes. A newer state of a span takes the place of one that still waits. */
export class RecordQueue {
  readonly maxBytes: number;
  #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `merged`: a state of the same span that waited is gone. `full` and `too_large`: the record was not taken. */
  put(record: SpanRecord): "added" | "merged" | "full" | "too_large" {
    const bytes = approximateBytes(record);
    if (bytes > this.maxBytes) return "too_large";
    const key = spanKey(record);
    const waiting = this.#entries.get(key);
    const after = this.#bytes - (waiting?.bytes ?? 0) + bytes;
    if (after > this.maxBytes) return "full";
    this.#entries.set(key, { record, bytes });
    this.#bytes = after;
    return waiting === undefined ? "added" : "merged";
  }

  /** Takes the oldest records out: at most `count`, and no more than `bytes` unless the first alone is larger. */
  take(count: number, bytes: number): SpanRecord[] {
    const batch: SpanRecord[] = [];
    let taken = 0;
    for (const [key, entry] of this.#entries) {
      if (batch.length >= count || (batch.length > 0 && taken + entry.bytes > bytes)) break;
      this.#entries.delete(key);
      taken += entry.bytes;
      batch.push(entry.record);
    }
    this.#bytes -= taken;
    return batch;
  }

  /** Puts a batch that could not be delivered back to the front. Gives how many a newer state has replaced meanwhile. */
  putBack(batch: readonly SpanRecord[]): number {
    const newer = this.#entries;
    this.#entries = new Map();
    let replaced = 0;
    for (const record of batch) {
      const key = spanKey(record);
      if (newer.has(key)) {
        replaced++;
        continue;
      }
      const bytes = approximateBytes(record);
      this.#entries.set(key, { record, bytes });
      this.#bytes += bytes;
    }
    for (const [key, entry] of newer) this.#entries.set(key, entry);
    return replaced;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}

/** What a record of no content costs: its fixed fields and the objects around them. */
const RECORD_BYTES = 1_000;

/** About how much memory a record takes: V8 keeps Latin-1 text in one byte a character, other text in two. */
export function approximateBytes(record: SpanRecord): number {
  let bytes = RECORD_BYTES + sizeOf(record.attributes);
  for (const event of record.events) bytes += 100 + sizeOf(event.attributes);
  for (const link of record.links) bytes += 150 + sizeOf(link.attributes);
  if (record.input !== undefined) bytes += sizeOf(record.input);
  if (record.output !== undefined) bytes += sizeOf(record.output);
  if (record.stateBefore !== undefined) bytes += sizeOf(record.stateBefore);
  if (record.stateAfter !== undefined) bytes += sizeOf(record.stateAfter);
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
