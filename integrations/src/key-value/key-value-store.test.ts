import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { storeConformance } from "@spanloom/store/testing";
import { describe, test } from "vitest";
import { open } from "./table.ts";

storeConformance({
  name: "key-value",
  runner: { describe, test },
  features: { durable: true, erasure: true },
  histories: 3,
  kills: 1,
  async open() {
    const path = await newPath();
    let store = open(path);
    return {
      forScope: (scope) => store.forScope(scope),
      prune: (request) => store.prune(request),
      bytesOf: () => readFile(path),
      async reopen() {
        await store.close();
        store = open(path);
      },
      async close() {
        await store.close();
        await removePath(path);
      },
    };
  },
  processes: {
    module: new URL("./table.ts", import.meta.url).href,
    config: newPath,
    remove: (path) => removePath(String(path)),
  },
});

async function newPath(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), "spanloom-key-value-")), "entries.db");
}

function removePath(path: string): Promise<void> {
  return rm(dirname(path), { recursive: true, force: true });
}
