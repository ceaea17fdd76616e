import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonValue, TraceStore } from "@spanloom/model";
import type { OpenStore, TestedProcesses } from "../../testing/index.ts";
import { createJsonFilesStore } from "../json-files.ts";

/** The kit's way to the store, in a folder of its own for every test. */
export async function openStore(): Promise<OpenStore> {
  const folder = await newFolder();
  let store = createJsonFilesStore({ folder, retention: false });
  return {
    forScope: (scope) => store.forScope(scope),
    prune: (request) => store.prune(request),
    reopen: async () => {
      await store.close();
      store = createJsonFilesStore({ folder, retention: false });
    },
    bytesOf: () => bytesOf(folder),
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const processes: TestedProcesses = {
  module: import.meta.url,
  config: newFolder,
  remove: (folder) => rm(folder as string, { recursive: true, force: true }),
};

/**
 * Opens the store in whichever process this is loaded: the kit imports this file by its URL.
 * @public
 */
export function open(folder: JsonValue): TraceStore {
  return createJsonFilesStore({ folder: folder as string, retention: false });
}

export function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "spanloom-json-files-"));
}

async function bytesOf(folder: string): Promise<Uint8Array> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const parts = files.filter((one) => one.isFile()).map((one) => readFile(join(one.parentPath, one.name)));
  return Buffer.concat(await Promise.all(parts));
}
