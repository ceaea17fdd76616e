import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { createFolderBlobs } from "../adapters/folder-blobs.ts";
import { createMemoryStore } from "../adapters/memory.ts";
import { createSqliteStore } from "../adapters/sqlite.ts";
import { storeConformance } from "../testing/index.ts";
import { keepBlobs } from "./keep-blobs.ts";
import { createMemoryBlobs } from "./memory-blobs.test-support.ts";

const runner = { describe, test };

// A threshold of one character: every content there is becomes a blob.
storeConformance({
  name: "memory with blobs",
  runner,
  histories: 30,
  open: async () => keepBlobs(createMemoryStore(), { blobs: createMemoryBlobs(), over: 1, retention: false }),
});

let folder: string;
let opened = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spanloom-blobs-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

storeConformance({
  name: "sqlite with a blob folder",
  runner,
  histories: 30,
  features: { durable: true },
  async open() {
    const place = join(folder, String(opened++));
    const openStore = () =>
      keepBlobs(createSqliteStore({ path: `${place}.db`, worker: false, retention: false }), {
        blobs: createFolderBlobs(place),
        over: 1,
        retention: false,
      });
    let store = openStore();
    return {
      forScope: (scope) => store.forScope(scope),
      prune: (request) => store.prune(request),
      reopen: async () => {
        await store.close();
        store = openStore();
      },
      close: () => store.close(),
    };
  },
});
