import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { Expected } from "../../testing/expected.ts";
import { randomHistory } from "../../testing/index.ts";
import { checkSums } from "../../testing/old-runs.ts";
import { createMemoryStore } from "../memory.ts";
import { createSqliteStore } from "../sqlite.ts";
import { temporaryFiles } from "./temporary-file.test-support.ts";

const file = temporaryFiles();
const window = { days: 10, timeZone: "Europe/Prague", lastDay: "2026-04-02" };

test("recompute finds every sum as the writes left it, whatever was written and deleted", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const store = createSqliteStore({ retention: false, path: ":memory:", worker: false });
    const scope = store.forScope("scope");
    const { batches, executionIds } = randomHistory(seed);
    for (const [index, batch] of batches.entries()) {
      await scope.write(batch);
      if (index === Math.floor(batches.length / 2) && seed % 3 === 0) {
        await scope.deleteExecution(executionIds[seed % executionIds.length] ?? "");
      }
    }
    expect((await scope.recompute()).corrected, `seed ${seed}`).toEqual([]);
    await store.close();
  }
});

test("planted faults are found and mended", async () => {
  const plants = [
    "UPDATE execution SET nano_usd = nano_usd + 1",
    "UPDATE execution SET n_open = n_open + 1, status = 'lost'",
    "UPDATE exec_usage SET tok_input = tok_input + 5",
    "DELETE FROM exec_usage",
    "UPDATE usage SET items = items + 1 WHERE grain = 86400",
    "INSERT INTO usage (scope_no, cube, grain, bucket, workflow_no, model_no, items) VALUES (1, 3, 900, 900, 7, 7, 1)",
    "UPDATE span SET below = 3 - below, sub = 3",
    "UPDATE exec_node SET n_spans = 100",
    "DELETE FROM exec_trace",
    "UPDATE span SET counts = 0, bears = 0",
    "UPDATE exec_stats SET stats = '[0,0,0,null,[],[]]'",
    "DELETE FROM exec_stats",
    "UPDATE stat_slots SET slots = '[3,1]'",
    "DELETE FROM stat_slots WHERE series = 3 AND grain = 3600",
    "INSERT INTO stat_slots VALUES (1, 0, 0, 900, 900, 0, 0, '[1,1]')",
    "UPDATE stat_sums SET tok_output = tok_output + 1 WHERE cube = 1",
    "DELETE FROM stat_sums",
  ];
  for (const [index, plant] of plants.entries()) {
    const path = file(`planted-${index}.db`);
    const { batches, executionIds } = randomHistory(11);
    const reference = createMemoryStore().forScope("scope");
    const expected = new Expected();
    let store = createSqliteStore({ retention: false, path, worker: false });
    for (const batch of batches) {
      await store.forScope("scope").write(batch);
      await reference.write(batch);
      expected.add(batch);
    }
    await checkSums(store.forScope("scope"), expected, window);
    await store.close();
    const database = new DatabaseSync(path);
    expect(database.prepare(plant).run().changes, plant).toBeGreaterThan(0);
    database.close();

    store = createSqliteStore({ retention: false, path, worker: false });
    const scope = store.forScope("scope");
    expect((await scope.recompute()).corrected, plant).not.toEqual([]);
    expect((await scope.recompute()).corrected, plant).toEqual([]);
    for (const id of executionIds) {
      expect(withoutSeq(await scope.getExecution(id)), plant).toEqual(
        withoutSeq(await reference.getExecution(id)),
      );
    }
    const items = (await scope.listExecutions()).items.map(withoutSeq);
    expect(items, plant).toEqual((await reference.listExecutions()).items.map(withoutSeq));
    const query = { days: 10, timeZone: "Europe/Prague", lastDay: "2026-04-02", groupBy: "model" as const };
    expect(await scope.getDailyCosts(query), plant).toEqual(await reference.getDailyCosts(query));
    await checkSums(scope, expected, window);
    await store.close();
  }
});

function withoutSeq(value: object | undefined): object | undefined {
  return value && { ...value, seq: 0 };
}
