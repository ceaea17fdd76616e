import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { storeConformance } from "../testing/index.ts";
import { createMemoryStore } from "./memory.ts";
import { sqliteHarness } from "./sqlite/harness.test-support.ts";
import { startWriter } from "./sqlite/start-writer.test-support.ts";
import { temporaryFiles } from "./sqlite/temporary-file.test-support.ts";
import { sharedSpan } from "./sqlite/writer-process.test-support.ts";
import { createSqliteStore } from "./sqlite.ts";

const file = temporaryFiles();
const { openStore, processesOf, versionOne } = sqliteHarness(file);

for (const driver of ["node:sqlite", "better-sqlite3"] as const) {
  storeConformance({
    name: `sqlite through ${driver}`,
    runner: { describe, test },
    features: { durable: true, erasure: true, concurrentWriters: true, large: true },
    histories: 60,
    open: () => openStore({ worker: false, driver }),
    processes: processesOf(driver),
    kills: 50,
    oldSchemas: [versionOne(driver)],
  });
}

test("four processes write one file together, over 100,000 spans: nothing lost, nothing doubled", async () => {
  const path = file("together.db");
  const writers = 4;
  const own = 26_000;
  const exits = Array.from({ length: writers }, async (_, index) => {
    const [code] = await once(
      startWriter(path, index * own, own, file(`acknowledged-${index}`), 100),
      "exit",
    );
    return code as number;
  });
  expect(await Promise.all(exits)).toEqual([0, 0, 0, 0]);
  const store = createSqliteStore({ path, worker: false, retention: false });
  const scope = store.forScope("scope");
  const reference = createMemoryStore().forScope("scope");
  const spans = Array.from({ length: writers * own }, (_, number) => sharedSpan(number));
  for (let at = 0; at < spans.length; at += 1000) await reference.write(spans.slice(at, at + 1000));
  const detail = await scope.getExecution("shared");
  expect(detail).toEqual(await reference.getExecution("shared"));
  expect(detail?.spanCount).toBe(104_000);
  const query = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "model" as const };
  expect(await scope.getDailyCosts(query)).toEqual(await reference.getDailyCosts(query));
  expect(await scope.recompute()).toEqual({ executions: 1, corrected: [] });
  await store.close();
});
