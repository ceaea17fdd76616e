import { SpanloomError, type SpanRecord, type TraceStore } from "@spanloom/model";
import { makeTrace, sampleTrace } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../adapters/memory.ts";
import { storeConformance } from "../testing/index.ts";
import { root } from "../testing/spans.ts";
import type { StoreCall } from "./call-meter.ts";
import { observeStore } from "./observe-store.ts";
import { sizeOf } from "./size-of.ts";

storeConformance({
  name: "memory, observed",
  runner: { describe, test },
  histories: 2,
  open: async () => observeStore(createMemoryStore()),
});

test("counts calls, rows, bytes and time by method", async () => {
  const store = observeStore(createMemoryStore());
  const traces = store.forScope("tenant");
  expect(store.stats()).toEqual({});
  const spans = makeTrace({ spans: 30 });
  await traces.write([...spans, { ...root("run-b", 2), spanId: "no" }]);
  await traces.write(spans);
  await traces.getTrace("made-1", { view: "full", limit: 20 });
  await traces.getSpan("made-1", "nothing");
  await store.forScope("other").getTrace("made-1");
  const { write, getTrace, getSpan, listExecutions } = store.stats();
  expect(write).toMatchObject({
    calls: 2,
    rows: 61,
    rejected: 1,
    underWay: 0,
    failures: {},
    latency: { count: 2 },
  });
  expect(write?.totalMs).toBeGreaterThan(0);
  expect(write?.bytes).toBeGreaterThan(JSON.stringify(spans).length * 1.5);
  expect(getTrace).toMatchObject({ calls: 2, rows: 20 });
  expect(getSpan).toMatchObject({ calls: 1, rows: 0 });
  expect(listExecutions).toBeUndefined();
});

test("failures are counted by their code, and stay the store's own", async () => {
  const store = observeStore(createMemoryStore());
  const traces = store.forScope("tenant");
  await expect(traces.listExecutions({ limit: 0 })).rejects.toMatchObject({ code: "invalid_argument" });
  await traces.listExecutions();
  await store.close();
  await expect(traces.listExecutions()).rejects.toMatchObject({ code: "store_closed" });
  expect(() => store.forScope("tenant")).toThrow(SpanloomError);
  expect(store.stats().listExecutions).toMatchObject({
    calls: 3,
    failures: { invalid_argument: 1, store_closed: 1 },
    latency: { count: 3 },
  });
});

test("calls under way are seen, and foreign errors count as unknown", async () => {
  let fail = (_: Error): void => {};
  const inner = createMemoryStore();
  const store = observeStore({
    ...inner,
    forScope: (scope) =>
      Object.assign(Object.create(inner.forScope(scope)), {
        getExecution: () => new Promise((_, reject) => (fail = reject)),
      }),
  } satisfies TraceStore);
  const call = store.forScope("tenant").getExecution("run-a");
  expect(store.stats().getExecution).toMatchObject({ calls: 0, underWay: 1 });
  fail(new TypeError("no disk"));
  await expect(call).rejects.toThrow("no disk");
  expect(store.stats().getExecution).toMatchObject({ calls: 1, underWay: 0, failures: { unknown: 1 } });
});

test("whoever listens hears of every call, and may fail alone", async () => {
  const calls: StoreCall[] = [];
  const store = observeStore(createMemoryStore(), {
    onCall(call) {
      calls.push(call);
      throw new Error("listener");
    },
    bytes: false,
  });
  await store.forScope("tenant").write(sampleTrace());
  await store.prune({ before: "9000000000000000000" });
  await store
    .forScope("tenant")
    .getExecution("")
    .catch(() => undefined);
  expect(calls).toMatchObject([
    { store: "memory", scope: "tenant", method: "write", rows: sampleTrace().length, rejected: 0 },
    { store: "memory", method: "prune", rows: sampleTrace().length },
    { method: "getExecution", rows: 0 },
  ]);
  expect(calls[0]).not.toHaveProperty("bytes");
  expect(calls[1]).not.toHaveProperty("scope");
  expect(store.stats().write).not.toHaveProperty("bytes");
});

test("a meter gets durations, rows, bytes and refusals, without scopes", async () => {
  const seen: [string, number, Record<string, string>][] = [];
  const instrument = (name: string) => {
    const take = (value: number, attributes: Record<string, string>): void =>
      void seen.push([name, value, attributes]);
    return { record: take, add: take };
  };
  const store = observeStore(createMemoryStore(), {
    meter: { createHistogram: instrument, createCounter: instrument },
  });
  const traces = store.forScope("tenant-7");
  await traces.write([root("run-a", 1), { ...root("run-b", 2), spanId: "no" }]);
  await traces.listExecutions({ limit: 0 }).catch(() => undefined);
  const written = { "spanloom.store.name": "memory", "spanloom.store.operation": "write" };
  expect(seen).toEqual([
    ["spanloom.store.operation.duration", expect.any(Number), written],
    ["spanloom.store.operation.rows", 2, written],
    ["spanloom.store.operation.size", expect.any(Number), written],
    ["spanloom.store.operation.rejected", 1, written],
    [
      "spanloom.store.operation.duration",
      expect.any(Number),
      {
        "spanloom.store.name": "memory",
        "spanloom.store.operation": "listExecutions",
        "error.type": "invalid_argument",
      },
    ],
  ]);
});

test("sizes are about those of JSON", () => {
  for (const value of [sampleTrace(), makeTrace({ spans: 100 }), { a: [1, null, true, "x"] }, [], "text"]) {
    const exact = JSON.stringify(value).length;
    expect(sizeOf(value) / exact).toBeGreaterThan(0.8);
    expect(sizeOf(value) / exact).toBeLessThan(1.3);
  }
});

test("a size that cannot be told is none, not 0", async () => {
  const seen: StoreCall[] = [];
  const store = observeStore(createMemoryStore(), { onCall: (call) => void seen.push(call) });
  const unreadable = {
    get name(): string {
      throw new Error("the record's own");
    },
  } as SpanRecord;
  await store.forScope("tenant").write([unreadable]);
  await store.forScope("tenant").write([]);
  expect(seen).toMatchObject([{ rejected: 1 }, { rejected: 0, bytes: 2 }]);
  expect(seen[0]).not.toHaveProperty("bytes");
});
