import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Shelf } from "../workflows/handbook-index.ts";

/** Files that runs left behind, one folder for each run. */
export interface Shelves {
  forRun(executionId: string): Shelf;
  /** `undefined` when there is no such file. */
  take(executionId: string, artifactId: string): Promise<Buffer<ArrayBuffer> | undefined>;
}

export function createShelves(dataFolder: string): Shelves {
  const folder = (executionId: string): string => join(dataFolder, "artifacts", executionId);
  return {
    forRun: (executionId) => ({
      async put(name, text) {
        const artifactId = `${createHash("sha256").update(text).digest("hex").slice(0, 12)}-${name}`;
        await mkdir(folder(executionId), { recursive: true });
        await writeFile(join(folder(executionId), artifactId), text);
        return { artifactId, sizeBytes: Buffer.byteLength(text) };
      },
    }),
    async take(executionId, artifactId) {
      // Both come from a URL: nothing but plain names may reach the file system.
      if (![executionId, artifactId].every((part) => /^[\w-][\w.-]*$/.test(part))) return undefined;
      return readFile(join(folder(executionId), artifactId)).catch(() => undefined);
    },
  };
}
