import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { makeV1File } from "../../sql/old-file.test-support.ts";
import { type OldSchema, type OpenStore, randomHistory, type TestedProcesses } from "../../testing/index.ts";
import { createSqliteStore, type SqliteStoreOptions } from "../sqlite.ts";
import type { SqliteDriverName } from "./driver.ts";

/** What the kit needs of SQLite. */
export interface SqliteHarness {
  openStore(given: Omit<SqliteStoreOptions, "path">, path?: string): Promise<OpenStore>;
  processesOf(driver: SqliteDriverName): TestedProcesses;
  versionOne(driver: SqliteDriverName): OldSchema;
}

/** @param file Gives paths in a folder that goes away after the tests. */
export function sqliteHarness(file: (name: string) => string): SqliteHarness {
  let files = 0;
  const openStore: SqliteHarness["openStore"] = async (given, path = file(`traces-${files++}.db`)) => {
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
        const parts = [path, `${path}-wal`].filter((part) => existsSync(part)).map((part) => readFile(part));
        return Buffer.concat(await Promise.all(parts));
      },
    };
  };
  return {
    openStore,
    processesOf: (driver) => ({
      module: new URL("./open-store.test-support.ts", import.meta.url).href,
      config: async () => [file(`shared-${files++}.db`), driver],
    }),
    versionOne: (driver) => {
      const written = [31, 32].flatMap((seed) => randomHistory(seed).batches);
      return {
        version: "1",
        written,
        open: async () => {
          const path = file(`version-1-${files++}.db`);
          await makeV1File(path, "upgrade", written);
          return openStore({ worker: false, driver }, path);
        },
      };
    },
  };
}
