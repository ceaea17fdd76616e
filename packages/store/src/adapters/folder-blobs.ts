import { randomUUID } from "node:crypto";
import { mkdir, open, opendir, readFile, rename, rm, rmdir, stat, utimes } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type BlobStore, SpanloomError } from "@spanloom/model";

/** What a key may be: nothing that a file system or a shell reads in its own way. */
const KEY = /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/;
const MOST_CHARACTERS = 400;
/** Unfinished files: no key can end like this. */
const UNFINISHED = ".tmp";
/** How long an unfinished file may be one that is being written. */
const ABANDONED_MS = 3_600_000;

/**
 * Keeps blobs as files below a folder, which is made where it is not there. A blob is written beside its place, synced to
 * the disk and renamed, so that no reader and no crash meets half of one. Any number of processes may use the folder.
 *
 * Calls reject with `store_full` or `store_failed`. Keys other than a {@link BlobStore} allows reject with
 * `invalid_argument`: nothing outside the folder can be reached.
 */
export function createFolderBlobs(path: string): BlobStore {
  const root = resolve(path);

  const fileOf = (key: string): string => {
    if (typeof key === "string" && key.length <= MOST_CHARACTERS && KEY.test(key)) return join(root, key);
    throw badKey(key);
  };
  const folderOf = (prefix: string): string => {
    if (typeof prefix !== "string" || !prefix.endsWith("/")) throw badKey(prefix);
    return fileOf(prefix.slice(0, -1));
  };

  return {
    async put(key, bytes) {
      const file = fileOf(key);
      await guarded(async () => {
        if (await holds(file, bytes)) {
          const now = new Date();
          await utimes(file, now, now);
          return;
        }
        const unfinished = `${file}.${randomUUID()}${UNFINISHED}`;
        await inFolder(dirname(file), async () => {
          await writeSynced(unfinished, bytes);
          try {
            await rename(unfinished, file);
          } catch (error) {
            await rm(unfinished, { force: true });
            throw error;
          }
          await syncFolder(dirname(file));
        });
      });
    },
    get: async (key) => {
      const file = fileOf(key);
      return guarded(() => unlessMissing(() => readFile(file)));
    },
    async deleteUnder(prefix) {
      const folder = folderOf(prefix);
      await guarded(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
    },
    async delete(key) {
      const file = fileOf(key);
      await guarded(async () => {
        await rm(file, { force: true });
        await removeEmpty(dirname(file), root);
      });
    },
    list: (prefix) => listFolder(folderOf(prefix), prefix),
  };
}

async function* listFolder(
  folder: string,
  prefix: string,
): AsyncGenerator<{ key: string; putAtMs: number }, void, undefined> {
  const entries = await guarded(() => unlessMissing(() => opendir(folder)));
  if (entries === undefined) return;
  for await (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* listFolder(path, `${prefix}${entry.name}/`);
    else {
      const found = await guarded(() => unlessMissing(() => stat(path)));
      if (found === undefined) continue;
      if (!entry.name.endsWith(UNFINISHED)) yield { key: `${prefix}${entry.name}`, putAtMs: found.mtimeMs };
      // What a process left when it was killed.
      else if (found.mtimeMs < Date.now() - ABANDONED_MS) await guarded(() => rm(path, { force: true }));
    }
  }
}

async function writeSynced(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** Another process may delete the folder between its making and its use. */
async function inFolder(folder: string, work: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      await work();
      // A new folder is an entry of the one above it, which must reach the disk, too.
      for (let made = folder; first !== undefined && made.length >= first.length; made = dirname(made)) {
        await syncFolder(dirname(made));
      }
      return;
    } catch (error) {
      if (attempt === 3 || codeOf(error) !== "ENOENT") throw error;
    }
  }
}

/** Removes a folder that has nothing in it any more, and those above it, below the root. */
async function removeEmpty(folder: string, root: string): Promise<void> {
  for (let empty = folder; empty.length > root.length; empty = dirname(empty)) {
    try {
      await rmdir(empty);
    } catch (error) {
      if (["ENOTEMPTY", "EEXIST"].includes(codeOf(error))) return;
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
}

/** Makes the rename last through a loss of power. Windows can open no folder, and needs not. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await unlessMissing(() => open(folder, "r"));
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}

async function holds(file: string, bytes: Uint8Array): Promise<boolean> {
  const found = await unlessMissing(() => stat(file));
  if (found?.size !== bytes.byteLength) return false;
  return (await unlessMissing(() => readFile(file)))?.equals(bytes) === true;
}

async function unlessMissing<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return undefined;
    throw error;
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const full = ["ENOSPC", "EDQUOT"].includes(codeOf(error));
    throw new SpanloomError(full ? "store_full" : "store_failed", {
      what: full ? "The disk of the blob folder is full." : "The blob folder cannot be used.",
      why: error instanceof Error ? error.message : "The file system failed.",
      fix: full ? "Make room, then write again." : "Check that the folder can be read and written.",
      cause: error,
    });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function badKey(key: unknown): SpanloomError {
  return new SpanloomError("invalid_argument", {
    what: `The blob key ${JSON.stringify(String(key).slice(0, 80))} cannot be used.`,
    why: `It must be segments of letters, digits, - and _, joined by /, of at most ${MOST_CHARACTERS} characters.`,
    fix: "Keys are made by Spanloom; a prefix ends with /.",
  });
}
