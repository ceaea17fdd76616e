import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { ContentVault, ScopedStore, SpanSink } from "@spanloom/model";
import { createContentVault } from "@spanloom/pipeline/vault";
import { createMemoryStore } from "@spanloom/store";
import { createFolderBlobs } from "@spanloom/store/folder-blobs";
import { afterEach, expect, test } from "vitest";
import { createWorkflowTracer, type WorkflowTracerOptions } from "../create-workflow-tracer.ts";
import { createDiskSpool, deadLetterDirectory, readDeadLetters } from "./index.ts";
import { expectToReconcile } from "./outage.test-support.ts";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A store that can be away, and that refuses retrievers for good. */
function setUp(options: Partial<WorkflowTracerOptions> = {}) {
  const directory = mkdtempSync(join(tmpdir(), "spanloom-delete-"));
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }));
  const store = createMemoryStore().forScope("default");
  const state = { away: false, writes: 0, slow: Promise.resolve() };
  const sink: SpanSink & Pick<ScopedStore, "deleteExecution"> = {
    async write(spans) {
      state.writes++;
      await state.slow;
      if (state.away) throw Object.assign(new Error("away"), { code: "ECONNREFUSED" });
      const refused = spans.flatMap(({ kind }, index) => (kind === "retriever" ? [index] : []));
      await store.write(spans.filter(({ kind }) => kind !== "retriever"));
      const rejected = refused.map((index) => ({ index, code: "invalid_record" as const, message: "no" }));
      return { written: spans.length - refused.length, unchanged: 0, rejected };
    },
    deleteExecution: (executionId) => store.deleteExecution(executionId),
  };
  const blobs = createFolderBlobs(join(directory, "vault"));
  const keys = { current: "k", all: { k: new Uint8Array(32).fill(1) } };
  const vault = createContentVault({ blobs, keys, onRead: () => undefined });
  const tracer = createWorkflowTracer({
    store: sink,
    vault,
    otlp: { url: "http://127.0.0.1:1/v1/traces", content: true },
    durability: createDiskSpool({ directory: join(directory, "spool") }),
    queue: { flushIntervalMs: 1 },
    onProblem: () => undefined,
    ...options,
  });
  cleanUps.push(() => tracer.shutdown({ timeoutMs: 0 }));
  const run = (executionId: string): void => {
    tracer.execution({ workflowId: "w", executionId, input: `said in ${executionId}` }, (execution) => {
      execution.startRetriever({ name: "search" }).end();
      execution.node({ id: "n" }, () => 1);
    });
  };
  const spooled = (): string =>
    globSync("spool/**", { cwd: directory, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .join("\n");
  const letters = async (): Promise<string[]> => {
    const found: string[] = [];
    const path = deadLetterDirectory({ directory: join(directory, "spool") });
    for await (const { record } of readDeadLetters(path)) found.push(record.executionId);
    return found;
  };
  return { directory, store, state, vault, tracer, run, spooled, letters };
}

test("an execution is deleted wherever it stands, others are not, and the counters reconcile", async () => {
  const { store, state, vault, tracer, run, spooled, letters } = setUp();
  // In the store, among the dead letters, and for the collector on the disk.
  for (const executionId of ["gone", "stays"]) run(executionId);
  await expect.poll(() => tracer.stats()).toMatchObject({ stored: 4, deadLettered: 2, otlp: { spilled: 6 } });
  // And more of both on the disk, and in memory.
  state.away = true;
  for (const executionId of ["gone", "stays"]) run(executionId);
  await expect.poll(() => tracer.stats().spilled).toBe(6);
  for (const executionId of ["gone", "stays"]) run(executionId);
  await expect.poll(() => tracer.stats().vault).toMatchObject({ kept: 12, queued: 0 });
  const [traceId = ""] = (await store.getExecution("gone"))?.traceIds ?? [];
  const { rootSpanId = "" } = (await store.getExecution("gone")) ?? {};
  const address = { scope: "default", executionId: "gone", traceId, spanId: rootSpanId };
  expect(await vault.get(address, {})).toBeDefined();
  expect(spooled()).toContain("said in gone");
  expect((await letters()).toSorted()).toEqual(["gone", "stays"]);

  expect(await tracer.deleteExecution("gone")).toBe(true);
  expect(spooled()).not.toContain('"gone"');
  expect(spooled()).not.toContain("said in gone");
  expect(spooled()).toContain("said in stays");
  expect(await letters()).toEqual(["stays"]);
  expect(await store.getExecution("gone")).toBeUndefined();
  expect(await vault.get(address, {})).toBeUndefined();
  // 1 letter, 3 on the disk, 3 in memory or on their way there.
  expect(tracer.stats()).toMatchObject({ deadLettered: 1, dropped: { deleted: 7 } });
  expectToReconcile(tracer.stats());
  expectToReconcile(tracer.stats().otlp);

  // What comes late for it goes nowhere.
  run("gone");
  state.away = false;
  await expect
    .poll(() => tracer.stats())
    .toMatchObject({ queued: 0, spilled: 0, stored: 8, deadLettered: 3 });
  expectToReconcile(tracer.stats());
  expect(await store.getExecution("gone")).toBeUndefined();
  expect((await store.getExecution("stays"))?.spanCount).toBeGreaterThan(0);
  expect(spooled()).not.toContain('"gone"');
});

test("what is on its way to the store while its execution is deleted does not stay there", async () => {
  const { store, state, tracer, run } = setUp();
  let answer = (): void => undefined;
  state.slow = new Promise((resolve) => {
    answer = resolve;
  });
  for (const executionId of ["gone", "stays"]) run(executionId);
  await expect.poll(() => state.writes).toBe(1);
  const deleting = tracer.deleteExecution("gone");
  setTimeout(answer, 50);
  expect(await deleting).toBe(true);
  expect(await store.getExecution("gone")).toBeUndefined();
  await expect.poll(() => tracer.stats()).toMatchObject({ queued: 0, spilled: 0 });
  expect((await store.getExecution("stays"))?.spanCount).toBe(2);
  expectToReconcile(tracer.stats());
});

test("what an earlier process left on the disk is reached as well", async () => {
  const { directory, state, tracer, run } = setUp();
  state.away = true;
  for (const executionId of ["gone", "stays"]) run(executionId);
  await expect.poll(() => tracer.stats().spilled).toBe(6);
  await tracer.shutdown({ timeoutMs: 0 });

  const next = setUp({ durability: createDiskSpool({ directory: join(directory, "spool") }) });
  next.state.away = true;
  await next.tracer.deleteExecution("gone");
  expect(next.tracer.stats()).toMatchObject({ recovered: 6, dropped: { deleted: 3 } });
  expectToReconcile(next.tracer.stats());
  next.state.away = false;
  await expect.poll(() => next.tracer.stats()).toMatchObject({ stored: 2, deadLettered: 1, spilled: 0 });
  expect(await next.store.getExecution("gone")).toBeUndefined();
});

test("what could not be deleted is said, and the rest is gone all the same", async () => {
  const failing = { deleteExecution: () => Promise.reject(new Error("vault away")) };
  const vault: ContentVault = { put: async () => undefined, get: async () => undefined, ...failing };
  const { store, tracer, run, spooled } = setUp({ vault });
  run("gone");
  await expect.poll(() => tracer.stats().otlp?.spilled).toBe(3);
  await expect(tracer.deleteExecution("gone")).rejects.toMatchObject({
    code: "store_failed",
    what: "The execution could not be deleted everywhere: the vault failed.",
  });
  expect(await store.getExecution("gone")).toBeUndefined();
  expect(spooled()).not.toContain('"gone"');
});

test.each([
  ["is written while the deletion waits for its answer", 60],
  ["still waits when the deletion begins", 0],
])("an execution that %s does not stay in a store that had none of it", async (_, writeMs) => {
  const store = createMemoryStore().forScope("default");
  const sink: SpanSink & Pick<ScopedStore, "deleteExecution"> = {
    async write(spans) {
      await pause(writeMs);
      return store.write(spans);
    },
    // Far away: it has looked long before it answers.
    async deleteExecution(executionId) {
      const found = await store.deleteExecution(executionId);
      await pause(150);
      return found;
    },
  };
  const { tracer, run } = setUp({ store: sink, queue: { flushIntervalMs: 20 } });
  run("gone");
  if (writeMs > 0) await pause(40);
  await tracer.deleteExecution("gone");
  run("stays");
  expect(await tracer.flush()).toBe(false);
  expect(await store.getExecution("gone")).toBeUndefined();
  expect((await store.getExecution("stays"))?.spanCount).toBe(3);
});
