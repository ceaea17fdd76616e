import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type OpenStore, storeConformance } from "../testing/index.ts";
import { createSqliteStore, type SqliteStoreOptions } from "./sqlite.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spanloom-sqlite-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const runner = { describe, test };

storeConformance({
  name: "sqlite on the caller's thread",
  runner,
  features: { durable: true },
  open: () => openStore({ worker: false }),
});

storeConformance({
  name: "sqlite through better-sqlite3",
  runner,
  features: { durable: true },
  histories: 10,
  open: () => openStore({ worker: false, driver: "better-sqlite3" }),
});

// Each worker takes a third of a second to start, so all tests share one, each in scopes of its own.
describe("in a worker", () => {
  let shared: ReturnType<typeof createSqliteStore>;
  let opened = 0;
  beforeAll(() => {
    shared = createSqliteStore({ path: join(folder, "shared.db") });
  });
  afterAll(() => shared.close());
  storeConformance({
    name: "sqlite in a worker",
    runner,
    features: { inProcess: false },
    histories: 10,
    open: async () => {
      const test = opened++;
      const scopes = new Map<string, string>();
      const own = (scope: string): string => {
        if (!scopes.has(scope)) scopes.set(scope, `${test}|${scopes.size}`);
        return scopes.get(scope) ?? "";
      };
      return { forScope: (scope) => shared.forScope(own(scope)), close: async () => {} };
    },
  });
});

let files = 0;

async function openStore(options: Omit<SqliteStoreOptions, "path">): Promise<OpenStore> {
  const path = join(folder, `traces-${files++}.db`);
  let store = createSqliteStore({ path, ...options });
  return {
    forScope: (scope) => store.forScope(scope),
    reopen: async () => {
      await store.close();
      store = createSqliteStore({ path, ...options });
    },
    close: () => store.close(),
  };
}
