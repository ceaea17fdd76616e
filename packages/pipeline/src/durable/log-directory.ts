import { constants, mkdirSync, readFileSync } from "node:fs";
import { open, readdir, rm, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SpanRecord } from "@spanloom/model";
import { DRAFT, eraseLines } from "./rewrite-file.ts";
import { linesOf, type Segment, SegmentReader } from "./segment-reader.ts";

/** Where a record stands in a log. */
export interface Place {
  readonly log: LogDirectory;
  readonly sequence: number;
}

export interface LoggedRecord {
  place: Place;
  record: SpanRecord;
  bytes: number;
}

export interface ReadResult {
  records: LoggedRecord[];
  /** Records that were written and can no longer be read. */
  lost: number;
}

/**
 * The segments of one writer, in order, and which of their records are settled: taken by the other end, or given up. All
 * below the floor are; the floor is kept in a file. Being behind there only means that some records are sent again.
 */
export class LogDirectory {
  readonly path: string;
  readonly segments: Segment[] = [];
  /** Records that are neither settled nor lost. */
  pending = 0;
  #floor: number;
  /** Settled out of order, above the floor. */
  readonly #settled = new Set<number>();
  /** In somebody's memory: not to be read now. */
  readonly #held = new Set<number>();
  #reader: SegmentReader | undefined;
  /** Files are being written anew: nobody reads them meanwhile. */
  #erasing: Promise<void> | undefined;
  #tidying: Promise<void> | undefined;
  #untidy = false;

  /** `floor`: every sequence up to it is settled. */
  constructor(path: string, floor: number) {
    this.path = path;
    this.#floor = floor;
  }

  /** Opens what another process left and counts what it holds. A torn last line was never accepted; it is no damage. */
  static async scan(path: string): Promise<{ log: LogDirectory; damaged: number }> {
    const all = await readdir(path);
    const names = all.filter((name) => SEGMENT_NAME.test(name)).sort();
    // Of a file that was being written anew when its writer died: the old one stands.
    for (const name of all) if (name.endsWith(DRAFT)) await unlink(join(path, name));
    const { floor, above } = readSettled(join(path, SETTLED_FILE));
    const log = new LogDirectory(path, floor);
    for (const sequence of above) if (sequence > floor) log.#settled.add(sequence);
    let damaged = 0;
    let next: number | undefined;
    for (const [index, name] of names.entries()) {
      const file = join(path, name);
      const segment: Segment = {
        path: file,
        first: Number.parseInt(name, 10),
        last: 0,
        size: 0,
        busy: false,
      };
      segment.size = (await stat(file)).size;
      segment.last = segment.first - 1;
      next ??= segment.first;
      for await (const line of linesOf(segment)) {
        if (line === "torn" && index === names.length - 1) break;
        if (typeof line === "string") damaged++;
        else {
          for (let gap = next; gap < line.sequence; gap++) log.#settled.add(gap);
          next = line.sequence + 1;
          segment.last = line.sequence;
          if (line.sequence > log.#floor && !log.#settled.has(line.sequence)) log.pending++;
        }
      }
      log.segments.push(segment);
    }
    const [oldest] = log.segments;
    if (oldest !== undefined && log.#floor < oldest.first - 1) log.#floor = oldest.first - 1;
    return { log, damaged };
  }

  /** Records that wait on the disk alone. */
  get unread(): number {
    return this.pending - this.#held.size;
  }

  get bytes(): number {
    let bytes = 0;
    for (const { size } of this.segments) bytes += size;
    return bytes;
  }

  /** The next records that nobody holds, oldest first; they are held from then on. */
  async read(maxRecords: number, maxBytes: number): Promise<ReadResult> {
    const result: ReadResult = { records: [], lost: 0 };
    let bytes = 0;
    while (result.records.length < maxRecords && bytes < maxBytes && this.unread > 0) {
      if (this.#erasing !== undefined) await this.#erasing.catch(() => undefined);
      this.#reader ??= new SegmentReader(this.segments, this.#floor);
      const reader = this.#reader;
      const line = reader.next() ?? (await reader.fill());
      // While the file was read, records behind it were let go of: it starts again.
      if (reader !== this.#reader) continue;
      if (line === "more") continue;
      if (line === undefined) break;
      // Sequences of one file leave no gap, but for lines that are damaged.
      for (let gap = line.after + 1; gap < line.sequence; gap++) result.lost += this.#lose(gap);
      if (line.json === undefined || this.#isTaken(line.sequence)) continue;
      const record = parse(line.json);
      if (record === undefined) {
        result.lost += this.#lose(line.sequence);
        continue;
      }
      this.#held.add(line.sequence);
      bytes += line.json.length;
      result.records.push({
        place: { log: this, sequence: line.sequence },
        record,
        bytes: line.json.length,
      });
    }
    return result;
  }

  /** A record was written that stays in memory, too. */
  added(sequence: number): void {
    this.pending++;
    this.#held.add(sequence);
  }

  /** The record needs nothing more. */
  settle(sequence: number): void {
    if (sequence <= this.#floor || this.#settled.has(sequence)) return;
    this.pending--;
    this.#pass(sequence);
  }

  /** A sequence that no record has. */
  skip(sequence: number): void {
    this.#pass(sequence);
  }

  /** Memory lets go of records that are not settled: they will be read again. */
  release(sequences: Iterable<number>): void {
    for (const sequence of sequences) {
      if (this.#held.delete(sequence) && this.#reader?.isPast(sequence)) this.#reader = undefined;
    }
  }

  /**
   * Takes the records that match off the disk, settled ones as well; all but those in `except`, which is being written.
   * `waited` is called for each that waited here alone, before its bytes go; whoever holds the others settles them.
   */
  async erase(
    matches: (json: string) => boolean,
    except: Segment | undefined,
    waited: (sequence: number) => void,
  ): Promise<void> {
    const before = this.#erasing ?? Promise.resolve();
    this.#reader = undefined;
    const erasing = before
      .catch(() => undefined)
      .then(async () => {
        for (const segment of [...this.segments]) {
          if (segment === except) continue;
          segment.busy = true;
          try {
            await eraseLines(segment, matches, (sequence) => {
              if (!this.#isTaken(sequence)) waited(sequence);
            });
          } finally {
            segment.busy = false;
          }
        }
        this.#reader = undefined;
      })
      .finally(() => {
        if (this.#erasing === erasing) this.#erasing = undefined;
      });
    this.#erasing = erasing;
    await erasing;
  }

  /** Waits until the floor is kept and files of settled records are gone; `whole` takes the directory away as well. */
  async tidy(whole: boolean): Promise<void> {
    await this.#tidying;
    await this.#removeSettled(whole);
    if (whole && this.pending === 0) await rm(this.path, { recursive: true, force: true });
  }

  #lose(sequence: number): number {
    if (this.#isTaken(sequence)) return 0;
    this.settle(sequence);
    return 1;
  }

  #isTaken(sequence: number): boolean {
    return sequence <= this.#floor || this.#settled.has(sequence) || this.#held.has(sequence);
  }

  #pass(sequence: number): void {
    this.#held.delete(sequence);
    this.#settled.add(sequence);
    while (this.#settled.delete(this.#floor + 1)) this.#floor++;
    this.#untidy = true;
    this.#tidying ??= this.#tidySoon().finally(() => {
      this.#tidying = undefined;
    });
  }

  async #tidySoon(): Promise<void> {
    while (this.#untidy) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#untidy = false;
      // A disk that fails here costs only records that are sent again.
      await this.#removeSettled(false).catch(() => undefined);
    }
  }

  async #removeSettled(whole: boolean): Promise<void> {
    await keepSettled(join(this.path, SETTLED_FILE), this.#floor, whole ? this.#settled : undefined);
    // The last one is open for more.
    const kept = whole ? 0 : 1;
    for (let [oldest] = this.segments; oldest !== undefined; [oldest] = this.segments) {
      if (this.segments.length <= kept || oldest.busy || oldest.last > this.#floor) return;
      this.segments.shift();
      await unlink(oldest.path);
    }
  }
}

/** Makes a directory for a writer that starts. */
export function createLogDirectory(path: string): LogDirectory {
  mkdirSync(path, { recursive: true });
  return new LogDirectory(path, 0);
}

export function segmentPath(directory: string, first: number): string {
  return join(directory, `${String(first).padStart(16, "0")}.log`);
}

const SEGMENT_NAME = /^\d{16}\.log$/;
const SETTLED_FILE = "settled";
const FLOOR_LENGTH = 17;

/** The floor alone is written over the old one: what a crash makes of a few bytes is one of the two. */
async function keepSettled(path: string, floor: number, above?: ReadonlySet<number>): Promise<void> {
  const text = `${String(floor).padStart(FLOOR_LENGTH - 1, "0")}\n`;
  if (above !== undefined) return writeFile(path, `${text}${[...above].join(" ")}\n`);
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT);
  try {
    await file.write(text, 0);
  } finally {
    await file.close();
  }
}

function readSettled(path: string): { floor: number; above: number[] } {
  try {
    const text = readFileSync(path, "latin1");
    const whole = /^(\d{16})\n(?:([\d ]*)\n)?$/.exec(text);
    return {
      floor: Number(whole?.[1] ?? 0),
      above: (whole?.[2] ?? "").split(" ").filter(Boolean).map(Number),
    };
  } catch {
    return { floor: 0, above: [] };
  }
}

function parse(json: string): SpanRecord | undefined {
  try {
    return JSON.parse(json) as SpanRecord;
  } catch {
    return undefined;
  }
}
