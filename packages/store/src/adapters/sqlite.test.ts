import { afterAll, beforeAll, describe, test } from "vitest";
import { storeConformance } from "../testing/index.ts";
import { sqliteHarness } from "./sqlite/harness.test-support.ts";
import { temporaryFiles } from "./sqlite/temporary-file.test-support.ts";
import { createSqliteStore } from "./sqlite.ts";

const file = temporaryFiles();
const { openStore, processesOf, versionOne } = sqliteHarness(file);

const runner = { describe, test };

storeConformance({
  name: "sqlite on the caller's thread",
  runner,
  features: { durable: true, erasure: true, concurrentWriters: true },
  histories: 20,
  open: () => openStore({ worker: false }),
  processes: processesOf("node:sqlite"),
  kills: 2,
  oldSchemas: [versionOne("node:sqlite")],
});

storeConformance({
  name: "sqlite through better-sqlite3",
  runner,
  features: { durable: true, erasure: true, concurrentWriters: true },
  histories: 3,
  open: () => openStore({ worker: false, driver: "better-sqlite3" }),
  processes: processesOf("better-sqlite3"),
  kills: 1,
  oldSchemas: [versionOne("better-sqlite3")],
});

// Each worker takes a third of a second to start, so all tests share one, each in scopes of its own.
describe("in a worker", () => {
  let shared: ReturnType<typeof createSqliteStore>;
  let opened = 0;
  beforeAll(() => {
    shared = createSqliteStore({ path: file("shared.db"), retention: false });
  });
  afterAll(() => shared.close());
  storeConformance({
    name: "sqlite in a worker",
    runner,
    features: { inProcess: false },
    histories: 3,
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
