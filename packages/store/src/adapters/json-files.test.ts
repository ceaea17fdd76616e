import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type OpenStore, storeConformance } from "../testing/index.ts";
import { createJsonFilesStore } from "./json-files.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "spanloom-json-files-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

let folders = 0;

storeConformance({
  name: "json-files",
  runner: { describe, test },
  features: { durable: true, erasure: true },
  async open(): Promise<OpenStore> {
    const folder = join(root, String(folders++));
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
  },
});

async function bytesOf(folder: string): Promise<Uint8Array> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const parts = files.filter((one) => one.isFile()).map((one) => readFile(join(one.parentPath, one.name)));
  return Buffer.concat(await Promise.all(parts));
}
