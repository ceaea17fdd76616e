import { once } from "node:events";
import { readFileSync, unwatchFile, watchFile, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createMemoryStore } from "../memory.ts";
import { createSqliteStore } from "../sqlite.ts";
import { startWriter } from "./start-writer.test-support.ts";
import { temporaryFiles } from "./temporary-file.test-support.ts";
import { sharedSpan } from "./writer-process.test-support.ts";

const file = temporaryFiles();

test("two processes write one execution together, and every sum is that of one writer", async () => {
  const path = file("together.db");
  const writers = [0, 100].map((first) => startWriter(path, first, 100, file(`together-${first}`)));
  const codes = await Promise.all(writers.map(async (writer) => (await once(writer, "exit"))[0]));
  expect(codes).toEqual([0, 0]);

  const store = createSqliteStore({ retention: false, path, worker: false });
  const scope = store.forScope("scope");
  const reference = createMemoryStore().forScope("scope");
  await reference.write(Array.from({ length: 200 }, (_, number) => sharedSpan(number)));
  const { seq, ...detail } = present(await scope.getExecution("shared"));
  const { seq: _, ...expected } = present(await reference.getExecution("shared"));
  expect(detail).toEqual(expected);
  expect(seq).toBe(200);
  const query = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "model" as const };
  expect(await scope.getDailyCosts(query)).toEqual(await reference.getDailyCosts(query));
  expect(await scope.recompute()).toEqual({ executions: 1, corrected: [] });
  await store.close();
});

test("a process that is killed while it writes loses nothing that was acknowledged", async () => {
  for (let round = 0; round < 3; round++) {
    const path = file(`killed-${round}.db`);
    const acknowledged = file(`killed-${round}`);
    writeFileSync(acknowledged, "");
    const writer = startWriter(path, 0, 100_000, acknowledged);
    await linesIn(acknowledged, 10 + round * 17);
    writer.kill("SIGKILL");
    await once(writer, "exit");

    const promised = readFileSync(acknowledged, "utf8").trim().split("\n").map(Number);
    const store = createSqliteStore({ retention: false, path, worker: false });
    const scope = store.forScope("scope");
    const page = present(await scope.getTrace("shared"));
    const stored = new Set(page.spans.map((span) => span.spanId));
    const missing = promised.filter((number) => !stored.has(sharedSpan(number).spanId));
    expect(missing).toEqual([]);
    // Batches are whole or not there.
    expect(page.spanCount % 5).toBe(0);
    expect((await scope.recompute()).corrected).toEqual([]);
    await store.close();
  }
});

/** Waits until the file has so many lines. */
async function linesIn(path: string, count: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (readFileSync(path, "utf8").split("\n").length <= count) return;
      unwatchFile(path, look);
      resolve();
    };
    watchFile(path, { interval: 5 }, look);
  });
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("It is not there.");
  return value;
}
