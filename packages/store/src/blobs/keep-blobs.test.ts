import {
  type BlobStore,
  type ScopedStore,
  SpanloomError,
  type SpanRecord,
  type TraceStore,
} from "@spanloom/model";
import { jsonContent, makeSpan, messagesContent, textContent } from "@spanloom/model/fixtures";
import { describe, expect, test, vi } from "vitest";
import { createMemoryStore } from "../adapters/memory.ts";
import { root, span, TRACE, traceIdOf } from "../testing/spans.ts";
import { type BlobKeepingStore, keepBlobs } from "./keep-blobs.ts";
import { createMemoryBlobs, type MemoryBlobs } from "./memory-blobs.test-support.ts";

const LARGE = "a large payload ".repeat(100);

interface Opened {
  /** What stands in the store itself. */
  inner: ScopedStore;
  blobs: MemoryBlobs;
  store: BlobKeepingStore;
  traces: ScopedStore;
}

function open(options: { over?: number; around?: (blobs: MemoryBlobs) => BlobStore } = {}): Opened {
  const { over = 1_000, around = (given) => given } = options;
  const memory = createMemoryStore();
  const blobs = createMemoryBlobs();
  const store = keepBlobs(memory, { blobs: around(blobs), over, retention: false });
  return { inner: memory.forScope("tenant"), blobs, store, traces: store.forScope("tenant") };
}

/** Blobs of payloads, without the names of scopes. */
function payloads({ held }: MemoryBlobs): string[] {
  return [...held.keys()].filter((key) => !key.startsWith("scopes/")).sort();
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error) => (error instanceof SpanloomError ? error.code : String(error)),
  );

describe("a large payload", () => {
  const contents = {
    input: messagesContent({ role: "user", parts: [{ type: "text", content: LARGE }] }),
    output: {
      ...textContent(`${LARGE}\ud800 ä`),
      hash: "aa",
      length: 7,
      redactions: [{ rule: "email", count: 1 }],
    },
    stateBefore: jsonContent({ list: [LARGE, null, -1.5], ["__proto__"]: 1 }),
    stateAfter: textContent("small"),
  };
  const large = makeSpan({ executionId: "run-1", ...contents });

  test("stands outside the record, and readers get it as it was", async () => {
    const { inner, traces, blobs } = open();
    expect(await traces.write([large])).toEqual({ written: 1, unchanged: 0, rejected: [] });
    const stored = await inner.getSpan("run-1", large.spanId);
    expect(JSON.stringify(stored).length).toBeLessThan(2_500);
    expect(stored?.output).toEqual({
      ...{
        format: "text",
        state: "captured",
        hash: "aa",
        length: 7,
        redactions: [{ rule: "email", count: 1 }],
      },
      ref: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/), length: expect.any(Number) },
    });
    expect(stored?.stateAfter).toEqual(contents.stateAfter);
    expect(payloads(blobs)).toHaveLength(3);
    expect(await traces.getSpan("run-1", large.spanId)).toEqual(large);
    expect((await traces.getTrace("run-1", { view: "full" }))?.spans).toEqual([large]);
  });

  test("is found by a search", async () => {
    const { traces } = open();
    const others = Array.from({ length: 5 }, (_, index) =>
      span(index + 1, undefined, { output: textContent(`${LARGE} needle ${index}`) }),
    );
    await traces.write(others);
    const first = await traces.searchSpans("run-1", { text: "NEEDLE", limit: 3 });
    expect(first?.items.map(({ hits }) => hits[0])).toMatchObject([
      { place: "content", key: "output" },
      { place: "content" },
      { place: "content" },
    ]);
    const second = await traces.searchSpans("run-1", { text: "NEEDLE", cursor: first?.nextCursor ?? "" });
    expect([...(first?.items ?? []), ...(second?.items ?? [])].map(({ spanId }) => spanId)).toEqual(
      others.map(({ spanId }) => spanId),
    );
    expect((await traces.searchSpans("run-1", { text: "NEEDLE", places: ["name"] }))?.items).toEqual([]);
  });

  test("leaves a page of its own size: pages stay bounded and whole", async () => {
    const { traces } = open();
    const spans = Array.from({ length: 9 }, (_, index) =>
      span(index + 1, undefined, { output: textContent("x".repeat(2_500_000)) }),
    );
    await traces.write(spans);
    const sizes: number[] = [];
    const found: SpanRecord[] = [];
    let cursor: string | undefined;
    do {
      const page = await traces.getTrace("run-1", { view: "full", ...(cursor !== undefined && { cursor }) });
      sizes.push(page?.spans.length ?? 0);
      found.push(...(page?.spans ?? []));
      cursor = page?.nextCursor;
    } while (cursor !== undefined);
    expect(sizes).toEqual([3, 3, 3]);
    expect(found).toEqual(spans);
  });

  test("that is not there any more is a state with its reason, as is one that is damaged", async () => {
    const { traces, blobs } = open();
    await traces.write([large]);
    const [first = "", second = ""] = payloads(blobs);
    blobs.held.delete(first);
    blobs.held.set(second, { bytes: new TextEncoder().encode('{"text":"other"}'), putAtMs: 0 });
    const read = await traces.getSpan("run-1", large.spanId);
    const missing = [read?.input, read?.output, read?.stateBefore].filter(
      (content) => content?.state === "missing",
    );
    expect(missing).toHaveLength(2);
    for (const content of missing) {
      expect(content?.reason).toMatch(/outside the store/);
      expect(Object.keys(content ?? {})).not.toContain("text");
    }
    expect((await traces.getTrace("run-1", { view: "full" }))?.spans).toEqual([read]);
    expect(await traces.searchSpans("run-1", { text: "large payload" })).toBeDefined();
  });

  test("is there before its record: where it cannot be kept, nothing is stored", async () => {
    const full = new SpanloomError("store_full", { what: "The disk is full." });
    const { inner, traces } = open({ around: (blobs) => ({ ...blobs, put: () => Promise.reject(full) }) });
    expect(await codeOf(traces.write([large, root("run-2", 2)]))).toBe("store_full");
    expect((await inner.listExecutions()).items).toEqual([]);
    expect(await traces.write([root("run-2", 2)])).toMatchObject({ written: 1 });
  });

  test("is nobody else's: a reference that was made up finds nothing", async () => {
    const { inner, traces, store } = open();
    await traces.write([large]);
    const ref = (await inner.getSpan("run-1", large.spanId))?.output?.ref;
    const forged = { format: "text" as const, state: "captured" as const, ...(ref && { ref }) };
    const other = store.forScope("other");
    await other.write([{ ...large, output: forged }]);
    await traces.write([makeSpan({ ...root("run-2", 2), output: forged })]);
    expect((await other.getSpan("run-1", large.spanId))?.output).toMatchObject({ state: "missing" });
    expect((await traces.getSpan("run-2", root("run-2", 2).spanId))?.output).toMatchObject({
      state: "missing",
    });
    // A value goes before a reference that came with it.
    await traces.write([makeSpan({ ...root("run-3", 3), output: { ...forged, text: "mine" } })]);
    expect((await traces.getSpan("run-3", root("run-3", 3).spanId))?.output).toEqual({
      ...forged,
      ref: undefined,
      text: "mine",
    });
  });

  test("of no more than the threshold stays where it is", async () => {
    const { inner, traces, blobs } = open({ over: 65_536 });
    await traces.write([large]);
    expect(await inner.getSpan("run-1", large.spanId)).toEqual(large);
    expect(blobs.held.size).toBe(0);
  });
});

describe("what goes away", () => {
  const output = textContent(LARGE);

  test("a deleted execution takes its payloads along, and no other's of the same trace", async () => {
    const { traces, blobs } = open();
    const mine = span(1, undefined, { output });
    const other = span(2, undefined, { executionId: "run-2", output });
    await traces.write([mine, { ...mine, output: textContent(`${LARGE} and more`), revision: 1 }, other]);
    expect(payloads(blobs)).toHaveLength(3);
    expect(await traces.deleteExecution("run-1")).toBe(true);
    expect(payloads(blobs)).toEqual([expect.stringContaining(`/${TRACE}/${other.spanId}/`)]);
    expect((await traces.getSpan("run-2", other.spanId))?.output).toEqual(output);
    expect(await traces.deleteExecution("run-1")).toBe(false);
  });

  test("a span that comes while its execution is being deleted leaves no payload", async () => {
    const memory = createMemoryStore();
    const blobs = createMemoryBlobs();
    let late: (() => Promise<unknown>) | undefined;
    const around: TraceStore = {
      ...memory,
      forScope(scope) {
        const traces = memory.forScope(scope);
        const deleteExecution = async (executionId: string): Promise<boolean> => {
          await late?.();
          return traces.deleteExecution(executionId);
        };
        return Object.assign(Object.create(traces) as ScopedStore, { deleteExecution });
      },
    };
    const traces = keepBlobs(around, { blobs, over: 1_000, retention: false }).forScope("tenant");
    await traces.write([span(1, undefined, { output })]);
    late = () =>
      traces.write([span(2, 1, { output }), span(1, undefined, { revision: 1, output, input: output })]);
    expect(await traces.deleteExecution("run-1")).toBe(true);
    expect(payloads(blobs)).toEqual([]);
    // Nor does an execution that is new in that moment.
    late = () => traces.write([root("run-2", 2, { output })]);
    expect(await traces.deleteExecution("run-2")).toBe(true);
    expect(payloads(blobs)).toEqual([]);
  });

  test("retention takes payloads along, step by step, and leaves those that stay", async () => {
    const { traces, store, blobs } = open();
    const runs = Array.from({ length: 30 }, (_, index) => root(`run-${index}`, index + 1, { output }));
    await traces.write(runs);
    await store.forScope("other").write([root("run-other", 1, { output })]);
    await store.forScope("plain").write([root("run-plain", 1)]);
    const before = runs[20]?.endTime ?? "";
    const step = await traces.prune({ before, limit: 5 });
    expect(step).toMatchObject({ executions: 5, more: true });
    expect(payloads(blobs)).toHaveLength(26);
    let report = step;
    for (let steps = 0; report.more && steps < 20; steps++) report = await store.prune({ before, limit: 4 });
    expect(report.more).toBe(false);
    const left = (await traces.listExecutions({ limit: 500 })).items.flatMap(({ traceIds }) => traceIds);
    expect(left).toHaveLength(10);
    expect(new Set(payloads(blobs).map((key) => key.split("/")[1]))).toEqual(new Set(left));
    expect((await store.forScope("other").listExecutions()).items).toEqual([]);
    expect((await store.forScope("plain").listExecutions()).items).toEqual([]);
  });

  test("a redaction reaches payloads, and the old ones are gone", async () => {
    const { inner, traces, blobs } = open();
    const secret = textContent(`${LARGE} hunter2-hunter2`);
    await traces.write([
      span(1, undefined, { input: output, output: secret }),
      span(2, 1, { output: secret }),
    ]);
    const rule = (record: SpanRecord): SpanRecord =>
      JSON.parse(JSON.stringify(record).replaceAll("hunter2-hunter2", "[gone]")) as SpanRecord;
    expect(await traces.redact(rule)).toEqual({ executions: 1, spans: 2 });
    const text = new TextDecoder();
    const held = payloads(blobs).map((key) => text.decode(blobs.held.get(key)?.bytes));
    expect(held).toHaveLength(3);
    expect(held.join()).not.toContain("hunter2");
    expect(await traces.getSpan("run-1", span(1).spanId)).toEqual({
      ...span(1, undefined, { input: output, output: { ...secret, text: `${LARGE} [gone]` } }),
      revision: 1,
    });
    expect(JSON.stringify(await inner.getTrace("run-1", { view: "full" }))).not.toContain("hunter2");
    expect(await traces.redact(rule)).toEqual({ executions: 1, spans: 0 });
  });
});

describe("sweep", () => {
  const output = textContent(LARGE);

  test("removes what nothing refers to, and only once it is old", async () => {
    const { inner, store, traces, blobs } = open();
    const first = span(1, undefined, { output: textContent(`${LARGE} first`) });
    await traces.write([first, { ...first, output, revision: 1 }, span(2, 1, { output })]);
    // A write that broke off, in a trace that lives and in one that does not; and what the store pruned by itself.
    const orphan = (traceId: string, spanId: string): string =>
      `t-tenant/${traceId}/${spanId}/${"ab".repeat(32)}`;
    await blobs.put(orphan(TRACE, span(7).spanId), new Uint8Array(1));
    await blobs.put(orphan(traceIdOf(9), span(9).spanId), new Uint8Array(1));
    await traces.write([root("run-3", 30, { output })]);
    await inner.deleteExecution("run-3");
    expect(payloads(blobs)).toHaveLength(6);
    expect(await store.sweep()).toEqual({ blobs: 0 });
    blobs.grow(2);
    expect(await store.sweep()).toEqual({ blobs: 4 });
    expect(payloads(blobs)).toHaveLength(2);
    expect((await traces.getSpan("run-1", span(1).spanId))?.output).toEqual(output);
    expect((await traces.getSpan("run-1", span(2).spanId))?.output).toEqual(output);
    expect(await store.sweep()).toEqual({ blobs: 0 });
  });

  test("leaves what executions of one trace share out among them", async () => {
    const { store, traces, blobs } = open();
    const spans = Array.from({ length: 6 }, (_, index) =>
      span(index + 1, undefined, { executionId: `run-${index % 3}`, output }),
    );
    await traces.write(spans);
    blobs.grow(2);
    expect(await store.sweep()).toEqual({ blobs: 0 });
    for (const one of spans) expect(await traces.getSpan(one.executionId, one.spanId)).toEqual(one);
  });

  test("a payload that is written again is young again", async () => {
    const { inner, store, traces, blobs } = open();
    await traces.write([span(1, undefined, { output })]);
    await inner.deleteExecution("run-1");
    blobs.grow(2);
    await traces.write([span(1, undefined, { executionId: "run-2", output })]);
    expect(await store.sweep()).toEqual({ blobs: 0 });
    expect((await traces.getSpan("run-2", span(1).spanId))?.output).toEqual(output);
  });
});

test("keys name no scope that a file system could confuse, and are as a blob store allows", async () => {
  const { store, blobs } = open();
  const output = textContent(LARGE);
  const scopes = ["a", "A", "ä", "../../etc", "con", "x".repeat(200), "scopes", "a b\0c/d\\e"];
  for (const scope of scopes) await store.forScope(scope).write([root("run-1", 1, { output })]);
  const folders = new Set(payloads(blobs).map((key) => key.split("/")[0]?.toLowerCase()));
  expect(folders.size).toBe(scopes.length);
  for (const scope of scopes) {
    expect((await store.forScope(scope).getSpan("run-1", root("run-1", 1).spanId))?.output).toEqual(output);
  }
  expect((await store.prune({ before: "9000000000000000000" })).executions).toBe(scopes.length);
  expect(payloads(blobs)).toEqual([]);
});

test("retention prunes store and blobs together", async () => {
  const memory = createMemoryStore();
  const blobs = createMemoryBlobs();
  const old = makeSpan({
    executionId: "run-old",
    startTime: "1600000000000000000",
    endTime: "1600000001000000000",
    output: textContent(LARGE),
  });
  await keepBlobs(memory, { blobs, retention: false, over: 10 }).forScope("tenant").write([old]);
  expect(payloads(blobs)).toHaveLength(1);
  const store = keepBlobs(memory, { blobs, retention: { spanDays: 365 } });
  while (payloads(blobs).length > 0) await new Promise(setImmediate);
  expect(await store.forScope("tenant").getExecution("run-old")).toBeUndefined();
  await store.close();
});

test("retention sweeps an hour after the start, and then once a day", async () => {
  vi.useFakeTimers();
  try {
    const blobs = createMemoryBlobs();
    const orphan = `t-tenant/${TRACE}/${span(1).spanId}/${"ab".repeat(32)}`;
    const store = keepBlobs(createMemoryStore(), { blobs, over: 10 });
    await store.forScope("tenant").write([span(2, undefined, { output: textContent(LARGE) })]);
    const swept: boolean[] = [];
    for (const hours of [0, 1.5, 20, 4]) {
      blobs.held.set(orphan, { bytes: new Uint8Array(1), putAtMs: 0 });
      await vi.advanceTimersByTimeAsync(hours * 3_600_000);
      swept.push(!blobs.held.has(orphan));
    }
    expect(swept).toEqual([false, true, false, true]);
    await store.close();
  } finally {
    vi.useRealTimers();
  }
});

test.each([-1, 1.5, Number.NaN, "64k"])("a threshold of %s is refused", (over) => {
  expect(() => keepBlobs(createMemoryStore(), { blobs: createMemoryBlobs(), over: over as number })).toThrow(
    /over/,
  );
});
