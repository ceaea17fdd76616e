import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ScopedStore, SpanloomError, type SpanRecord, type TraceStore } from "@spanloom/model";
import { makeSpan, makeTrace, runningTrace, sampleTrace, textContent } from "@spanloom/model/fixtures";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createMemoryStore } from "../adapters/memory.ts";
import { createSqliteStore } from "../adapters/sqlite.ts";
import { keepBlobs } from "../blobs/keep-blobs.ts";
import { createMemoryBlobs } from "../blobs/memory-blobs.test-support.ts";
import { randomHistory } from "../testing/index.ts";
import { call, root, span } from "../testing/spans.ts";
import { type MigrationProgress, migrate } from "./migrate.ts";
import type { MigrationState } from "./migration-report.ts";

/** Everything that a reader sees of a scope, but for the numbers of commits. */
async function view(store: TraceStore, scope: string): Promise<unknown> {
  const traces = store.forScope(scope);
  const { items } = await traces.listExecutions({ limit: 500 });
  const pages = [];
  for (const { executionId } of items) {
    const page = await traces.getTrace(executionId, { view: "full", limit: 10_000 });
    pages.push(page?.spans);
  }
  const days = await traces.getDailyCosts({ days: 60, timeZone: "UTC", groupBy: "model" });
  return { items: items.map(({ seq: _, ...summary }) => summary), pages, days };
}

/** The store with something of one scope's handle in place of its own. */
function around(store: TraceStore, change: (traces: ScopedStore) => Partial<ScopedStore>): TraceStore {
  return {
    ...store,
    forScope: (scope) => {
      const traces = store.forScope(scope);
      return Object.assign(Object.create(traces), change(traces));
    },
  };
}

const scopes = ["tenant"];
const runs = (count: number): SpanRecord[] =>
  Array.from({ length: count }, (_, index) => root(`run-${index}`, index + 1));

describe("a migration", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "spanloom-migrate-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("copies scopes from one store to another, and reads all of it back", async () => {
    const from = createMemoryStore();
    await from.forScope("a").write([...sampleTrace(), ...makeTrace({ spans: 1_200 }), ...runningTrace()]);
    for (let seed = 1; seed <= 5; seed++) {
      for (const batch of randomHistory(seed).batches) await from.forScope(`history ${seed}`).write(batch);
    }
    await from.forScope("not asked for").write(runs(1));
    const to = createSqliteStore({ path: join(folder, "to.db"), worker: false, retention: false });
    const asked = ["a", ...[1, 2, 3, 4, 5].map((seed) => `history ${seed}`), "empty"];
    const report = await migrate(from, to, { scopes: asked });
    expect(report).toMatchObject({ stillChanging: 0, problems: [], problemCount: 0, differingDays: [] });
    expect(report.verified).toBe(report.copied);
    for (const scope of asked) expect(await view(to, scope)).toEqual(await view(from, scope));
    expect(await view(to, "not asked for")).toMatchObject({ items: [] });
    await to.close();
  });
});

test("goes in the order of starts, tells how far it is, and gives the same checksums again", async () => {
  const from = createMemoryStore();
  await from.forScope("tenant").write(runs(7).toReversed());
  const to = createMemoryStore();
  const seen: MigrationProgress[][] = [[], []];
  for (const [run, progress] of seen.entries()) {
    const report = await migrate(from, to, { scopes, onProgress: (one) => progress.push(one) });
    expect(report, `run ${run}`).toMatchObject({ copied: 7, verified: 7, spans: 7 });
  }
  expect(seen[0]?.map(({ executionId }) => executionId)).toEqual(
    runs(7).map(({ executionId }) => executionId),
  );
  expect(seen[0]?.at(-1)).toMatchObject({ scope: "tenant", pass: 0, executions: 7, spans: 7 });
  expect(new Set(seen[0]?.map(({ checksum }) => checksum)).size).toBe(7);
  expect(seen[1]?.map(({ checksum }) => checksum)).toEqual(seen[0]?.map(({ checksum }) => checksum));
});

test("goes on where it was broken off, and doubles nothing", async () => {
  const from = createMemoryStore();
  await from.forScope("tenant").write(runs(350));
  const memory = createMemoryStore();
  let left = 220;
  const full = new SpanloomError("store_full", { what: "The disk is full." });
  const failing = around(memory, (traces) => ({
    write: (spans) => (left-- > 0 ? traces.write(spans) : Promise.reject(full)),
  }));
  let state: MigrationState | undefined;
  const onState = (now: MigrationState): void => {
    state = JSON.parse(JSON.stringify(now)) as MigrationState;
  };
  await expect(migrate(from, failing, { scopes, onState })).rejects.toBe(full);
  expect(state).toEqual({ version: 1, scopes: { tenant: { copiedTo: runs(200).at(-1)?.startTime } } });
  const report = await migrate(from, memory, { scopes, onState, ...(state !== undefined && { state }) });
  expect(report).toMatchObject({ copied: 151, verified: 151, comparedBySummary: 199, problemCount: 0 });
  expect(await view(memory, "tenant")).toEqual(await view(from, "tenant"));
});

test("what an earlier run had copied and has changed since is copied again", async () => {
  const from = createMemoryStore();
  const traces = from.forScope("tenant");
  await traces.write(runs(3));
  const to = createMemoryStore();
  let state: MigrationState | undefined;
  const keep = (now: MigrationState): void => {
    state = now;
  };
  await migrate(from, to, { scopes, onState: keep });
  const trace = { traceId: root("run-1", 2).traceId, executionId: "run-1" };
  await traces.write([call(20, 2, 7, trace), root("run-early", 0)]);
  const report = await migrate(from, to, { scopes, ...(state !== undefined && { state }) });
  expect(report).toMatchObject({ copied: 3, comparedBySummary: 1, problemCount: 0, differingDays: [] });
  expect(await view(to, "tenant")).toEqual(await view(from, "tenant"));
});

test("a source that is written meanwhile is followed until it is quiet", async () => {
  const from = createMemoryStore();
  const traces = from.forScope("tenant");
  await traces.write(runs(20));
  const to = createMemoryStore();
  let writes = 0;
  const seen: number[] = [];
  const report = await migrate(from, to, {
    scopes,
    passes: 10,
    async onState() {
      const number = 100 + writes++;
      const trace = { traceId: root("run-3", 4).traceId, executionId: "run-3" };
      await traces.write([call(number, 4, 7, trace), root(`run-late-${number}`, number)]);
      await traces.deleteExecution("run-4");
    },
    onProgress: ({ pass }) => void seen.push(pass),
  });
  expect(seen.filter((pass) => pass === 1)).toHaveLength(2);
  expect(report).toMatchObject({ stillChanging: 0, problemCount: 1 });
  expect(report.problems).toMatchObject([{ executionId: "run-4", kind: "gone", count: 1 }]);
  await to.forScope("tenant").deleteExecution("run-4");
  expect(await view(to, "tenant")).toEqual(await view(from, "tenant"));
});

test("a source that never rests is copied as far as the passes go, and that is said", async () => {
  const from = createMemoryStore();
  const traces = from.forScope("tenant");
  await traces.write(runs(2));
  let number = 100;
  const restless = around(from, (inner) => ({
    async listExecutions(query) {
      await inner.write([
        span(number++, undefined, { executionId: "run-0", traceId: root("run-0", 1).traceId }),
      ]);
      return inner.listExecutions(query);
    },
  }));
  expect(await migrate(restless, createMemoryStore(), { scopes, passes: 2 })).toMatchObject({
    stillChanging: 1,
  });
});

test("spans that moved to a late name are under it at both sides", async () => {
  const from = createMemoryStore();
  const traces = from.forScope("tenant");
  const unnamed = span(1, undefined, { executionId: span(1).traceId });
  await traces.write([unnamed]);
  const to = createMemoryStore();
  let named = false;
  const report = await migrate(from, to, {
    scopes,
    async onState() {
      if (!named) await traces.write([span(2, 1, { executionId: "run-named" })]);
      named = true;
    },
  });
  expect(report).toMatchObject({ problemCount: 0, stillChanging: 0 });
  expect(await view(to, "tenant")).toEqual(await view(from, "tenant"));
  expect((await to.forScope("tenant").getExecution("run-named"))?.spanCount).toBe(2);
});

describe("what cannot be taken, or is not the same, is named", () => {
  test("spans that the destination refuses", async () => {
    const from = createMemoryStore();
    await from.forScope("tenant").write(runs(3));
    const to = createMemoryStore();
    await to.forScope("tenant").write(runs(3));
    await to.forScope("tenant").deleteExecution("run-1");
    const told: string[] = [];
    const report = await migrate(from, to, {
      scopes,
      onProblem: ({ executionId }) => void told.push(executionId),
    });
    const { traceId, spanId } = root("run-1", 2);
    expect(report).toMatchObject({ verified: 2, copied: 3, problemCount: 1 });
    expect(report.problems).toEqual([
      {
        ...{
          scope: "tenant",
          executionId: "run-1",
          kind: "rejected",
          count: 1,
          spans: [{ traceId, spanId }],
        },
        rejection: { code: "deleted_execution", message: expect.any(String) },
      },
    ]);
    expect(told).toEqual(["run-1"]);
  });

  test("spans that come back as others, or not at all", async () => {
    const from = createMemoryStore();
    await from
      .forScope("tenant")
      .write([...runs(2), span(8, 1, { executionId: "run-0", traceId: root("", 1).traceId })]);
    const to = around(createMemoryStore(), (traces) => ({
      async write(spans) {
        const kept = spans.filter(({ name }) => name !== "span 8");
        const receipt = await traces.write(
          kept.map((one) => (one.name === "span 2" ? { ...one, name: "other" } : one)),
        );
        return { ...receipt, written: spans.length };
      },
    }));
    const report = await migrate(from, to, { scopes, passes: 0 });
    expect(report.problems).toMatchObject([
      { executionId: "run-0", kind: "absent", count: 1, spans: [{ spanId: span(8).spanId }] },
      { executionId: "run-1", kind: "differs", count: 1 },
    ]);
    expect(report.verified).toBe(0);
  });

  test("newer states and more spans at the destination, which stay", async () => {
    const from = createMemoryStore();
    await from.forScope("tenant").write(runs(2));
    const to = createMemoryStore();
    const newer = { ...root("run-0", 1), revision: 5, name: "newer" };
    const more = span(9, 2, { executionId: "run-1", traceId: root("run-1", 2).traceId });
    await to.forScope("tenant").write([newer, more]);
    const report = await migrate(from, to, { scopes });
    expect(report.problems).toMatchObject([
      { executionId: "run-0", kind: "newer", count: 1 },
      { executionId: "run-1", kind: "more", count: 1, spans: [{ spanId: more.spanId }] },
    ]);
    expect(await to.forScope("tenant").getSpan("run-0", newer.spanId)).toEqual(newer);
  });

  test("payloads that the source has lost", async () => {
    const blobs = createMemoryBlobs();
    const from = keepBlobs(createMemoryStore(), { blobs, over: 10, retention: false });
    const output = textContent("a payload of some length");
    await from.forScope("tenant").write([root("run-0", 1, { output }), root("run-1", 2, { output })]);
    const to = createMemoryStore();
    expect(await migrate(from, to, { scopes })).toMatchObject({ verified: 2, problemCount: 0 });
    expect((await to.forScope("tenant").getSpan("run-0", root("run-0", 1).spanId))?.output).toEqual(output);
    await blobs.deleteUnder(`t-tenant/${root("run-1", 2).traceId}/`);
    const report = await migrate(from, createMemoryStore(), { scopes });
    expect(report.problems).toMatchObject([{ executionId: "run-1", kind: "payload_missing", count: 1 }]);
  });

  test("days whose sums stay behind, because their spans were pruned", async () => {
    const from = createMemoryStore();
    const traces = from.forScope("tenant");
    await traces.write([
      root("run-0", 1),
      call(2, 1, 7, { executionId: "run-0", traceId: root("run-0", 1).traceId }),
    ]);
    await traces.prune({ before: root("x", 100).startTime });
    await traces.write(
      runs(0).concat(makeSpan({ executionId: "run-9", startTime: root("x", 200).startTime })),
    );
    const report = await migrate(from, createMemoryStore(), { scopes });
    expect(report.differingDays).toEqual([{ scope: "tenant", day: "2026-11-20", from: 7_000 }]);
  });
});

test("the signal ends it between two executions", async () => {
  const from = createMemoryStore();
  await from.forScope("tenant").write(runs(5));
  const to = createMemoryStore();
  const end = new AbortController();
  const { signal } = end;
  const call = migrate(from, to, {
    scopes,
    signal,
    onProgress: ({ executions }) => executions === 2 && end.abort("enough"),
  });
  await expect(call).rejects.toBe("enough");
  expect((await to.forScope("tenant").listExecutions()).items).toHaveLength(2);
});

test.each([{ version: 2, scopes: {} }, { version: 1, scopes: { a: { copiedTo: "soon" } } }, { version: 1 }])(
  "the state %j is refused",
  async (state) => {
    const call = migrate(createMemoryStore(), createMemoryStore(), {
      scopes,
      state: state as MigrationState,
    });
    await expect(call).rejects.toMatchObject({ code: "invalid_argument" });
  },
);
