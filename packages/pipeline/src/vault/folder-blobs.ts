import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { VaultBlobs } from "./blobs.ts";

/** Blobs as files below a folder that nobody else writes to; several processes may share it. */
export function createFolderBlobs({ directory }: { directory: string }): VaultBlobs {
  return {
    async put(key, bytes) {
      const path = join(directory, key);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      // Whoever reads meanwhile, or after a crash, finds the old blob or the new one.
      const draft = `${path}.${randomBytes(6).toString("hex")}.draft`;
      try {
        const file = await open(draft, "wx", 0o600);
        try {
          await file.writeFile(bytes);
          await file.datasync();
        } finally {
          await file.close();
        }
        await rename(draft, path);
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },
    async get(key) {
      try {
        return await readFile(join(directory, key));
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
      }
    },
    delete: (key) => rm(join(directory, key), { recursive: true, force: true }),
  };
}
