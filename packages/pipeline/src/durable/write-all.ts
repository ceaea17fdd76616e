import { write, writeSync } from "node:fs";
import { promisify } from "node:util";

const writeAsync = promisify(write);

/** A system may write less than it was given. */
export function writeAllSync(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

/** The same in the background. */
export async function writeAll(file: number, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await writeAsync(file, bytes, done, bytes.length - done, null)).bytesWritten;
}
