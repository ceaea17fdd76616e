import { closeSync, fdatasync, fdatasyncSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { SpanloomError, type SpanRecord } from "@spanloom/model";
import {
  createLogDirectory,
  type LogDirectory,
  type Place,
  type ReadResult,
  segmentPath,
} from "./log-directory.ts";
import { encodeLine } from "./log-line.ts";
import { WriterLock } from "./owners.ts";
import { logName, takeOver } from "./replay.ts";
import { executionOf } from "./rewrite-file.ts";
import type { Segment } from "./segment-reader.ts";
import { writeAll, writeAllSync } from "./write-all.ts";

export interface SpillLogOptions {
  /** Several processes may share it: each writes files of its own. */
  directory: string;
  /** Most that the log may take on the disk, what it took over included. A record beyond is refused. Default 256 MB. */
  maxBytes?: number;
  /** Size at which a file is closed and a new one begun. Default 8 MB; an eighth of `maxBytes` at most. */
  segmentBytes?: number;
  /**
   * When lines are forced to the disk itself. Every line survives the process, whatever stands here; this is about power.
   * `background` (default): at most a second later. `always`: before the record counts as written. `never`: when the
   * system sees fit.
   */
  fsync?: "background" | "always" | "never";
}

const MAX_BYTES = 256_000_000;
const SEGMENT_BYTES = 8_000_000;
const FSYNC_MS = 1_000;
/** What is written at once: one process may write while another call waits. */
const WRITE_BYTES = 1_000_000;

const syncAsync = promisify(fdatasync);

/**
 * Cleaned records on the disk, appended in order, until somebody settles them. Nothing is created before the first
 * record is written; what is settled is deleted.
 */
export class SpillLog {
  readonly directory: string;
  readonly #maxBytes: number;
  readonly #segmentBytes: number;
  readonly #fsync: "background" | "always" | "never";
  readonly #lock: WriterLock;
  readonly #logs: LogDirectory[] = [];
  #own: LogDirectory | undefined;
  #active: { segment: Segment; file: number } | undefined;
  #next = 1;
  #taken = 0;
  #writing: Promise<void> = Promise.resolve();
  readonly #removing = new Set<Promise<void>>();
  #syncTimer: NodeJS.Timeout | undefined;

  constructor(options: SpillLogOptions) {
    this.directory = options.directory;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#segmentBytes = Math.min(options.segmentBytes ?? SEGMENT_BYTES, Math.ceil(this.#maxBytes / 8));
    this.#fsync = options.fsync ?? "background";
    this.#lock = new WriterLock(options.directory);
  }

  /** Records that are not settled. */
  get pending(): number {
    return this.#logs.reduce((sum, log) => sum + log.pending, 0);
  }

  /** Of these, records that are on the disk alone. */
  get unread(): number {
    return this.#logs.reduce((sum, log) => sum + log.unread, 0);
  }

  /**
   * Writes records in the background, in the order of the calls. `written` is called with the place of each as soon as it
   * is safe; they are held in memory until `release`. Rejects at the first that could not be written.
   */
  async append(
    records: readonly SpanRecord[],
    written: (place: Place, index: number) => void,
  ): Promise<void> {
    const turn = this.#writing.then(() => this.#appendAll(records, written));
    this.#writing = turn.catch(() => undefined);
    await turn;
  }

  /** Writes one record before it gives its place: one call of the system. Throws when that fails. */
  appendSync(record: SpanRecord): Place {
    // Between the lines of a write that is under way there is no room: this one gets a file of its own.
    if (this.#active?.segment.busy) this.#finish();
    const { log, segment, file } = this.#open();
    const sequence = this.#next;
    const line = encodeLine(sequence, jsonOf(record));
    this.#checkRoom(line.length);
    try {
      writeAllSync(file, line);
      if (this.#fsync === "always") fdatasyncSync(file);
    } catch (error) {
      this.#mend();
      throw error;
    }
    this.#next++;
    this.#wrote(log, segment, sequence, line.length);
    return { log, sequence };
  }

  /** The oldest records that nobody holds; they are held from then on. */
  async read(maxRecords: number, maxBytes: number): Promise<ReadResult> {
    let lost = 0;
    for (const log of [...this.#logs]) {
      const result = await log.read(maxRecords, maxBytes);
      lost += result.lost;
      if (result.records.length > 0) return { records: result.records, lost };
    }
    return { records: [], lost };
  }

  /** The records need nothing more. */
  settle({ log, sequence }: Place): void {
    log.settle(sequence);
    if (log === this.#own || log.pending > 0 || !this.#logs.includes(log)) return;
    this.#logs.splice(this.#logs.indexOf(log), 1);
    // What a disk that fails now leaves behind, the next process finds settled.
    const removing = log.tidy(true).catch(() => undefined);
    this.#removing.add(removing);
    void removing.finally(() => this.#removing.delete(removing));
  }

  /** Lets go of records in memory: they will be read again. */
  release(places: Iterable<Place>): void {
    for (const { log, sequence } of places) log.release([sequence]);
  }

  /**
   * Takes an execution's records off the disk, whatever their state. `settled` is told how many of them waited here alone
   * and are settled now; those in memory are the caller's to settle. Rejects when the disk would not; to be called again.
   */
  async deleteExecution(executionId: string, settled: (count: number) => void): Promise<void> {
    const turn = this.#writing.then(async () => {
      // What is written from now on goes to a file of its own.
      if (this.#active !== undefined) this.#finish();
      for (const log of [...this.#logs])
        await log.erase(
          (json) => executionOf(json, executionId),
          this.#active?.segment,
          (sequence) => {
            this.settle({ log, sequence });
            settled(1);
          },
        );
    });
    this.#writing = turn.catch(() => undefined);
    await turn;
  }

  /** Takes over what processes left that are gone: how many records wait there, and how many lines were damaged. */
  async takeOver(): Promise<{ records: number; damaged: number }> {
    // Without a lock of our own others would take it for abandoned at once.
    const found = await takeOver(this.directory, this.#lock.writer, () => {
      this.#lock.hold();
      return ++this.#taken;
    });
    this.#logs.unshift(...found.logs);
    return { records: found.logs.reduce((sum, log) => sum + log.pending, 0), damaged: found.damaged };
  }

  /** Stops writing. What is not settled stays for the next process. */
  async close(): Promise<void> {
    await this.#writing;
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    const { file } = this.#active ?? {};
    this.#active = undefined;
    try {
      if (file !== undefined && this.#fsync !== "never" && this.pending > 0) await syncAsync(file);
      await Promise.all(this.#removing);
      for (const log of this.#logs) await log.tidy(true);
    } finally {
      if (file !== undefined) closeSync(file);
      await this.#lock.release();
    }
  }

  async #appendAll(
    records: readonly SpanRecord[],
    written: (place: Place, index: number) => void,
  ): Promise<void> {
    let from = 0;
    while (from < records.length) {
      const { log, segment, file } = this.#open();
      const first = this.#next;
      const lines: Buffer[] = [];
      let bytes = 0;
      for (let index = from; index < records.length && bytes < WRITE_BYTES; index++) {
        const line = encodeLine(this.#next++, jsonOf(records[index] as SpanRecord));
        lines.push(line);
        bytes += line.length;
      }
      segment.busy = true;
      try {
        this.#checkRoom(bytes);
        await writeAll(file, Buffer.concat(lines));
        if (this.#fsync === "always") await syncAsync(file);
      } catch (error) {
        for (let index = 0; index < lines.length; index++) log.skip(first + index);
        if (this.#active?.file === file) this.#mend();
        throw error;
      } finally {
        segment.busy = false;
        if (this.#active?.file !== file) closeSync(file);
      }
      for (const [index, line] of lines.entries()) {
        this.#wrote(log, segment, first + index, line.length);
        written({ log, sequence: first + index }, from + index);
      }
      from += lines.length;
    }
  }

  #wrote(log: LogDirectory, segment: Segment, sequence: number, bytes: number): void {
    segment.last = Math.max(segment.last, sequence);
    segment.size += bytes;
    log.added(sequence);
    if (this.#fsync === "background")
      this.#syncTimer ??= setTimeout(() => {
        this.#syncTimer = undefined;
        const { file } = this.#active ?? {};
        // What the disk cannot do now is tried again after the next line.
        if (file !== undefined) fdatasync(file, () => undefined);
      }, FSYNC_MS).unref();
  }

  /** The file to write to: a new one when there is none, or when it is large enough. */
  #open(): { log: LogDirectory; segment: Segment; file: number } {
    this.#lock.hold();
    if (this.#own === undefined) {
      this.#own = createLogDirectory(join(this.directory, logName(this.#lock.writer, 0)));
      this.#logs.push(this.#own);
    }
    const log = this.#own;
    if (this.#active !== undefined && this.#active.segment.size >= this.#segmentBytes) {
      this.#finish();
      // When everything in it is settled, nothing else would take it away.
      if (log.pending === 0) void log.tidy(false).catch(() => undefined);
    }
    if (this.#active === undefined) {
      const path = segmentPath(log.path, this.#next);
      const file = openSync(path, "a");
      this.#active = {
        segment: { path, first: this.#next, last: this.#next - 1, size: 0, busy: false },
        file,
      };
      log.segments.push(this.#active.segment);
    }
    return { log, ...this.#active };
  }

  #finish(): void {
    if (this.#active === undefined) return;
    const { file, segment } = this.#active;
    this.#active = undefined;
    // Whoever writes to it closes it.
    if (segment.busy) return;
    if (this.#fsync === "never") closeSync(file);
    else fdatasync(file, () => closeSync(file));
  }

  /** After a write that failed: what it left of a line is cut off, and the next line goes to a new file. */
  #mend(): void {
    if (this.#active === undefined) return;
    const { file, segment } = this.#active;
    try {
      ftruncateSync(file, segment.size);
    } catch {
      // The rest is skipped as damaged when the file is read.
    }
    if (segment.last >= segment.first) this.#finish();
  }

  #checkRoom(bytes: number): void {
    const used = this.#logs.reduce((sum, log) => sum + log.bytes, 0);
    if (used + bytes <= this.#maxBytes) return;
    throw new SpanloomError("store_full", {
      what: `The spill log has reached its bound of ${this.#maxBytes} bytes.`,
      why: "The other end has been away for long.",
      fix: "Bring it back, or give the log more room with `maxBytes`.",
    });
  }
}

let last: { record: SpanRecord; json: string } | undefined;

/** The same record goes to the log of the store and to that of the collector. */
function jsonOf(record: SpanRecord): string {
  if (last?.record !== record) last = { record, json: JSON.stringify(record) };
  return last.json;
}
