import { open, readFile, rename, unlink } from "node:fs/promises";
import type { SpanRecord } from "@spanloom/model";
import { decodeLine } from "./log-line.ts";
import type { Segment } from "./segment-reader.ts";

/**
 * Writes a file of lines anew, without a moment in which a crash could lose one: the new file takes the place of the old
 * one when it is whole. `keep` gives the line, another one, or nothing. False when nothing changed, or the file is gone.
 */
export async function rewriteFile(
  path: string,
  keep: (line: Buffer) => Buffer | undefined,
): Promise<boolean> {
  try {
    const old = await readFile(path);
    const lines: Buffer[] = [];
    let changed = false;
    for (let at = 0; at < old.length; ) {
      const end = old.indexOf(10, at);
      const line = old.subarray(at, end < 0 ? old.length : end);
      at = end < 0 ? old.length : end + 1;
      const kept = keep(line);
      changed ||= kept !== line;
      if (kept !== undefined) lines.push(kept, LINE_END);
    }
    if (!changed) return false;
    const draft = `${path}${DRAFT}`;
    try {
      const file = await open(draft, "w");
      try {
        await file.writeFile(Buffer.concat(lines));
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    } catch (error) {
      await unlink(draft).catch(() => undefined);
      throw error;
    }
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

/** Ends the names of files that are not whole yet. */
export const DRAFT = ".draft";

const LINE_END = Buffer.from("\n");

/** Takes records out of a finished file of a log; what is damaged goes as well, since nobody knows what it holds. */
export async function eraseLines(
  segment: Segment,
  matches: (json: string) => boolean,
  erased: (sequence: number) => void,
): Promise<void> {
  let size = 0;
  const changed = await rewriteFile(segment.path, (bytes) => {
    const line = decodeLine(bytes);
    if (line === undefined) return undefined;
    if (matches(line.json)) {
      erased(line.sequence);
      return undefined;
    }
    size += bytes.length + 1;
    return bytes;
  });
  if (changed) segment.size = size;
}

/** Whether the JSON of a record is one of the execution: most can be told without reading them. */
export function executionOf(json: string, executionId: string): boolean {
  if (!json.includes(JSON.stringify(executionId))) return false;
  try {
    return (JSON.parse(json) as Partial<SpanRecord>).executionId === executionId;
  } catch {
    return true;
  }
}
