import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { makeV1File } from "../sql/old-file.test-support.ts";
import {
  type OldSchema,
  type OpenStore,
  randomHistory,
  storeConformance,
  type TestedProcesses,
} from "../testing/index.ts";
import type { SqliteDriverName } from "./sqlite/driver.ts";
import { createSqliteStore, type SqliteStoreOptions } from "./sqlite.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spanloom-sqlite-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const runner = { describe, test };
const full = Boolean(process.env.FULL);

storeConformance({
  name: "sqlite on the caller's thread",
  runner,
  features: { durable: true, erasure: true, concurrentWriters: true, large: full },
  open: () => openStore({ worker: false }),
  processes: processesOf("node:sqlite"),
  kills: full ? 50 : 3,
  oldSchemas: [versionOne("node:sqlite")],
});

storeConformance({
  name: "sqlite through better-sqlite3",
  runner,
  features: { durable: true, erasure: true, concurrentWriters: true, large: full },
  histories: 10,
  open: () => openStore({ worker: false, driver: "better-sqlite3" }),
  processes: processesOf("better-sqlite3"),
  kills: full ? 50 : 1,
  oldSchemas: [versionOne("better-sqlite3")],
});

// Each worker takes a third of a second to start, so all tests share one, each in scopes of its own.
describe("in a worker", () => {
  let shared: ReturnType<typeof createSqliteStore>;
  let opened = 0;
  beforeAll(() => {
    shared = createSqliteStore({ path: join(folder, "shared.db"), retention: false });
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

function processesOf(driver: SqliteDriverName): TestedProcesses {
  return {
    module: new URL("./sqlite/open-store.test-support.ts", import.meta.url).href,
    config: async () => [join(folder, `shared-${files++}.db`), driver],
  };
}

function versionOne(driver: SqliteDriverName): OldSchema {
  const written = [31, 32].flatMap((seed) => randomHistory(seed).batches);
  return {
    version: "1",
    written,
    open: async () => {
      const path = join(folder, `version-1-${files++}.db`);
      await makeV1File(path, "upgrade", written);
      return openStore({ worker: false, driver }, path);
    },
  };
}

async function openStore(
  given: Omit<SqliteStoreOptions, "path">,
  path: string = join(folder, `traces-${files++}.db`),
): Promise<OpenStore> {
  // The kit's spans are of days long gone.
  const options: SqliteStoreOptions = { path, retention: false, ...given };
  let store = createSqliteStore(options);
  return {
    forScope: (scope) => store.forScope(scope),
    prune: (request) => store.prune(request),
    reopen: async () => {
      await store.close();
      store = createSqliteStore(options);
    },
    close: () => store.close(),
    bytesOf: async () => {
      const parts = [path, `${path}-wal`].filter(existsSync).map((file) => readFile(file));
      return Buffer.concat(await Promise.all(parts));
    },
  };
}
