import { fork } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { storeConformance } from "../testing/index.ts";
import { newFolder, openStore, processes } from "./json-files/harness.test-support.ts";
import { batchesOf } from "./json-files/writer-process.test-support.ts";
import { createJsonFilesStore } from "./json-files.ts";
import { createMemoryStore } from "./memory.ts";

storeConformance({
  name: "json-files",
  runner: { describe, test },
  features: { durable: true, erasure: true, concurrentWriters: true, large: true },
  histories: 60,
  open: openStore,
  processes,
  kills: 50,
});

test("four processes write one folder, over 100,000 spans: nothing lost, nothing doubled", async () => {
  const folder = await newFolder();
  const writer = new URL("./json-files/writer-process.test-support.ts", import.meta.url);
  const exits = [0, 1, 2, 3].map(async (number) => {
    const child = fork(writer, [folder, String(number)], { execArgv: process.execArgv });
    const [code] = await once(child, "exit");
    return code as number;
  });
  expect(await Promise.all(exits)).toEqual([0, 0, 0, 0]);
  const store = createJsonFilesStore({ folder, retention: false });
  const reference = createMemoryStore().forScope("scope");
  for (let number = 0; number < 4; number++) {
    for (const batch of batchesOf(number)) await reference.write(batch);
  }
  const scope = store.forScope("scope");
  const query = { limit: 500, sort: { by: "spanCount", direction: "asc" } } as const;
  const bare = (items: object[]): object[] => items.map((item) => ({ ...item, seq: 0 }));
  const { items } = await scope.listExecutions(query);
  expect(bare(items)).toEqual(bare((await reference.listExecutions(query)).items));
  expect(items.reduce((sum, item) => sum + item.spanCount, 0)).toBe(4 * 26_000 + 4_000);
  const costs = { days: 3, timeZone: "UTC", lastDay: "2026-11-21", groupBy: "model" } as const;
  expect(await scope.getDailyCosts(costs)).toEqual(await reference.getDailyCosts(costs));
  expect((await scope.recompute()).corrected).toEqual([]);
  await store.close();
  await rm(folder, { recursive: true, force: true });
});
