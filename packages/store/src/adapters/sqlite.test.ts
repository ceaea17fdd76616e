import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "vitest";
import { type OpenStore, storeConformance } from "../testing/index.ts";
import { createSqliteStore, type SqliteStoreOptions } from "./sqlite.ts";

const kinds: { name: string; options: Omit<SqliteStoreOptions, "path"> }[] = [
  { name: "sqlite in a worker", options: {} },
  { name: "sqlite on the caller's thread", options: { worker: false } },
  { name: "sqlite through better-sqlite3", options: { worker: false, driver: "better-sqlite3" } },
];

for (const { name, options } of kinds) {
  storeConformance({
    name,
    runner: { describe, test },
    features: { durable: true },
    open: () => openStore(options),
  });
}

async function openStore(options: Omit<SqliteStoreOptions, "path">): Promise<OpenStore> {
  const folder = await mkdtemp(join(tmpdir(), "spanloom-sqlite-"));
  const path = join(folder, "traces.db");
  let store = createSqliteStore({ path, ...options });
  return {
    forScope: (scope) => store.forScope(scope),
    reopen: async () => {
      await store.close();
      store = createSqliteStore({ path, ...options });
    },
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
