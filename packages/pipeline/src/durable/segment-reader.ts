import { open } from "node:fs/promises";
import { decodeLine, type Line } from "./log-line.ts";

/** One file of a log. */
export interface Segment {
  path: string;
  /** Sequence of its first record, also its name. */
  first: number;
  /** Of its last one; below `first` while it is empty. */
  last: number;
  /** Bytes of whole lines. */
  size: number;
  /** Lines are under way to it. */
  busy: boolean;
}

interface ReadLine {
  sequence: number;
  /** The sequence read before it in the same file. */
  after: number;
  /** Absent on the mark that ends a file. */
  json?: string;
}

const CHUNK_BYTES = 1_000_000;

/** A place in the segments of a log, which moves forwards only. */
export class SegmentReader {
  /** Highest sequence that it has read. */
  sequence: number;
  readonly #segments: Segment[];
  #segment: Segment | undefined;
  #offset = 0;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(segments: Segment[], floor: number) {
    this.#segments = segments;
    this.sequence = floor;
  }

  /** A file may be written after the next one was begun: being in a later file is past it, too. */
  isPast(sequence: number): boolean {
    return sequence <= this.sequence || (this.#segment !== undefined && sequence < this.#segment.first);
  }

  /** The next good line of what has been read from the file. */
  next(): ReadLine | undefined {
    for (;;) {
      const end = this.#chunk.indexOf(10, this.#at);
      if (end < 0) return undefined;
      const line = decodeLine(this.#chunk.subarray(this.#at, end));
      this.#at = end + 1;
      if (line === undefined || line.sequence <= this.sequence) continue;
      const after = Math.max(this.sequence, (this.#segment?.first ?? 1) - 1);
      this.sequence = line.sequence;
      return { sequence: line.sequence, after, json: line.json };
    }
  }

  /** Reads on: `more` when there is something now, a mark at the end of a finished file, `undefined` at the end of all. */
  async fill(): Promise<ReadLine | "more" | undefined> {
    const segment = this.#segment ?? this.#segments.find(({ last }) => last > this.sequence);
    if (segment === undefined) return undefined;
    this.#segment = segment;
    this.#offset += this.#at;
    this.#chunk = this.#chunk.subarray(this.#at);
    this.#at = 0;
    const rest = this.#chunk.length;
    const unread = segment.size - this.#offset;
    if (unread > rest) {
      // A line that is longer than what was read so far needs a larger piece.
      const wanted = Math.min(unread, Math.max(CHUNK_BYTES, rest * 2));
      const chunk = await readPiece(segment.path, this.#offset, wanted);
      if (chunk.length > rest) {
        this.#chunk = chunk;
        return "more";
      }
    }
    if (segment === this.#segments.at(-1) && segment.last <= this.sequence) return undefined;
    const mark = { sequence: segment.last + 1, after: Math.max(this.sequence, segment.first - 1) };
    this.sequence = Math.max(this.sequence, segment.last);
    if (segment === this.#segments.at(-1)) return mark;
    this.#segment = undefined;
    this.#offset = 0;
    this.#chunk = Buffer.alloc(0);
    return mark;
  }
}

async function readPiece(path: string, offset: number, length: number): Promise<Buffer> {
  let file: Awaited<ReturnType<typeof open>> | undefined;
  try {
    file = await open(path, "r");
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } catch {
    // A file that is gone or cannot be read: what it held is counted as lost.
    return Buffer.alloc(0);
  } finally {
    await file?.close();
  }
}

/** Every line of a file, in bounded memory. */
export async function* linesOf(segment: Segment): AsyncGenerator<Line | "damaged" | "torn"> {
  let offset = 0;
  let wanted = CHUNK_BYTES;
  while (offset < segment.size) {
    const chunk = await readPiece(segment.path, offset, Math.min(wanted, segment.size - offset));
    if (chunk.length === 0) return;
    let at = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, at)) {
      yield decodeLine(chunk.subarray(at, end)) ?? "damaged";
      at = end + 1;
    }
    if (at === 0 && offset + chunk.length >= segment.size) {
      yield "torn";
      return;
    }
    wanted = at === 0 ? wanted * 2 : CHUNK_BYTES;
    offset += at;
  }
}
