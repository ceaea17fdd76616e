import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { SpanloomError } from "@spanloom/model";

export type Kind = "executions" | "spans";

/** Where something was appended, in bytes. */
export interface Place {
  file: string;
  start: number;
}

/** The daily files of one scope: `<kind>/<UTC day>.<writer>.jsonl`. Each writer appends to its own. */
export class LogFiles {
  private readonly folder: string;
  private readonly sync: boolean;
  private writer: string = newWriter();

  constructor(folder: string, sync: boolean) {
    this.folder = folder;
    this.sync = sync;
  }

  path(kind: Kind, file: string): string {
    return join(this.folder, kind, file);
  }

  /** The file that is appended to now. */
  current(): string {
    return `${new Date().toISOString().slice(0, 10)}.${this.writer}.jsonl`;
  }

  /** Names of all files, the oldest day first. */
  async list(kind: Kind): Promise<string[]> {
    try {
      const names = await readdir(join(this.folder, kind));
      return names.filter((name) => /^\d{4}-\d{2}-\d{2}\..+\.jsonl$/.test(name)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw toStoreError(error, this.folder);
    }
  }

  /** `undefined` where it is gone. */
  async size(kind: Kind, file: string): Promise<number | undefined> {
    try {
      return (await stat(this.path(kind, file))).size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw toStoreError(error, this.folder);
    }
  }

  /** Appends text, and says where. What fails half way stands in a file that nobody appends to again. */
  async append(kind: Kind, text: string): Promise<Place> {
    try {
      await mkdir(join(this.folder, kind), { recursive: true });
      const file = this.current();
      const handle = await open(this.path(kind, file), "a");
      try {
        const start = (await handle.stat()).size;
        await handle.appendFile(text);
        if (this.sync) await handle.datasync();
        return { file, start };
      } finally {
        await handle.close();
      }
    } catch (error) {
      this.writer = newWriter();
      throw toStoreError(error, this.folder);
    }
  }

  /** Bytes of a file; fewer where it is shorter, none where it is gone. */
  async read(kind: Kind, file: string, start: number, end: number): Promise<Buffer> {
    try {
      const handle = await open(this.path(kind, file), "r");
      try {
        const bytes = Buffer.allocUnsafe(end - start);
        let filled = 0;
        while (filled < bytes.length) {
          const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return bytes.subarray(0, filled);
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (isMissing(error)) return Buffer.alloc(0);
      throw toStoreError(error, this.folder);
    }
  }

  /** Overwrites ranges with blanks, so that every other place stays where it is. */
  async blank(
    kind: Kind,
    file: string,
    ranges: readonly (readonly [start: number, end: number])[],
  ): Promise<void> {
    try {
      const handle = await open(this.path(kind, file), "r+");
      try {
        for (const [start, end] of ranges) {
          await handle.write(ERASED, 0, Math.min(ERASED.length, end - start), start);
          const blanks = Buffer.alloc(Math.min(end - start, BLANK_BYTES), " ");
          for (let at = start; at < end; at += blanks.length) {
            await handle.write(blanks, 0, Math.min(blanks.length, end - at), at);
          }
        }
        await handle.datasync();
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (!isMissing(error)) throw toStoreError(error, this.folder);
    }
  }

  async remove(kind: Kind, file: string): Promise<void> {
    await unlink(this.path(kind, file)).catch((error) => {
      if (!isMissing(error)) throw toStoreError(error, this.folder);
    });
  }
}

const BLANK_BYTES = 1 << 20;
/** Shorter than any line that is ever erased. */
const ERASED = Buffer.alloc(32, " ");

/** A line, and where it stands in its file, in bytes. */
export interface TextLine {
  text: string;
  start: number;
  /** Of its line break. */
  end: number;
}

/** Lines of a buffer with their places; what follows the last line break is no line yet. Erased ones are left out. */
export function* linesOf(bytes: Buffer, start = 0): Generator<TextLine, void, undefined> {
  let from = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, from)) {
    if (at > from && !isErased(bytes, from)) {
      yield { text: bytes.toString("utf8", from, at), start: start + from, end: start + at };
    }
    from = at + 1;
  }
}

/** A line that is being erased begins so, also when a crash comes before its end. */
function isErased(bytes: Buffer, from: number): boolean {
  return bytes[from] === 0x20 && bytes.subarray(from, from + ERASED.length).equals(ERASED);
}

function newWriter(): string {
  return `${process.pid}-${randomBytes(4).toString("hex")}`;
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

export function toStoreError(error: unknown, folder: string): SpanloomError {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new SpanloomError("store_full", {
      what: "The disk of the json-files store is full.",
      why: "Nothing of this write was stored; what was stored before stays readable.",
      fix: `Make room on the disk of ${folder}, or shorten the retention; the write can then be tried again.`,
      cause: error,
    });
  }
  return new SpanloomError("store_failed", {
    what: "The json-files store could not read or write its files.",
    why: code === undefined ? String(error) : `The system reported ${code}.`,
    fix: `Look at the folder ${folder} and its permissions.`,
    cause: error,
  });
}
