import { type ScopedStore, SpanloomError, type SpanRecord } from "@spanloom/model";
import { makeSpan, makeTrace, textContent } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { createMemoryStore } from "./adapters/memory.ts";
import { type RedactableStore, redactStored } from "./redact-stored.ts";
import { root, span } from "./testing/spans.ts";

const SECRET = "hunter2-hunter2";

function withoutSecret(record: SpanRecord): SpanRecord {
  if (!JSON.stringify(record).includes(SECRET)) return record;
  return JSON.parse(JSON.stringify(record).replaceAll(SECRET, "[gone]")) as SpanRecord;
}

async function storeOf(...spans: SpanRecord[]): Promise<ScopedStore> {
  const store = createMemoryStore().forScope("tenant");
  await store.write(spans);
  return store;
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error) => (error instanceof SpanloomError ? error.code : String(error)),
  );

test("takes something out of every page of every execution, as a new state that readers see", async () => {
  const many = makeTrace({ spans: 1_200 }).map((record, index) =>
    index % 3 === 0 ? { ...record, output: textContent(`say ${SECRET}`) } : record,
  );
  const store = await storeOf(
    ...many,
    root("run-a", 1, { attributes: { password: SECRET } }),
    root("run-b", 2),
  );
  const seq = (await store.changesSince("run-a", 0))?.seq ?? 0;
  expect(await redactStored(store, withoutSecret)).toEqual({ executions: 3, spans: 401 });
  const changes = await store.changesSince("run-a", seq);
  expect(changes?.spans.map(({ revision }) => revision)).toEqual([1]);
  expect(JSON.stringify(await store.getTrace("made-1", { view: "full", limit: 10_000 }))).not.toContain(
    SECRET,
  );
  expect((await store.getSpan("run-a", root("run-a", 1).spanId))?.attributes).toEqual({ password: "[gone]" });
});

test("a late copy of the old state does not come back, and a second time changes nothing", async () => {
  const old = root("run-a", 1, { attributes: { password: SECRET } });
  const store = await storeOf(old);
  await redactStored(store, withoutSecret);
  expect(await store.write([old])).toMatchObject({ written: 0, unchanged: 1 });
  expect(await redactStored(store, withoutSecret)).toEqual({ executions: 1, spans: 0 });
});

test.each(["deleted", "pruned"])("what is %s meanwhile needs no redaction", async (how) => {
  const store = await storeOf(root("run-a", 1, { attributes: { password: SECRET } }), root("run-b", 2));
  const racing: RedactableStore = {
    listExecutions: store.listExecutions.bind(store),
    getExecutions: store.getExecutions.bind(store),
    getTrace: store.getTrace.bind(store),
    getSpan: store.getSpan.bind(store),
    async write(spans) {
      if (how === "deleted") await store.deleteExecution("run-a");
      else await store.prune({ before: String(2n ** 63n - 1n) });
      return store.write(spans);
    },
  };
  expect(await redactStored(racing, withoutSecret)).toMatchObject({ spans: 0 });
  expect(await store.getExecution("run-a")).toBeUndefined();
});

test("a rule that changes the record itself, or gives an equal copy, is understood", async () => {
  const store = await storeOf(root("run-a", 1, { attributes: { password: SECRET } }), root("run-b", 2));
  const inPlace = (record: SpanRecord): SpanRecord => {
    if ("password" in record.attributes) record.attributes.password = "[gone]";
    return record;
  };
  expect(await redactStored(store, inPlace)).toEqual({ executions: 2, spans: 1 });
  expect(await redactStored(store, (record) => structuredClone(record))).toEqual({ executions: 2, spans: 0 });
});

test("only what is selected is looked at", async () => {
  const store = await storeOf(root("run-a", 1), root("run-b", 2), root("run-c", 3));
  const starts = (number: number): string => root("x", number).startTime;
  const seen = async (selection: Parameters<typeof redactStored>[2]): Promise<string[]> => {
    const ids: string[] = [];
    await redactStored(
      store,
      (record) => {
        ids.push(record.executionId);
        return record;
      },
      selection,
    );
    return ids.sort();
  };
  expect(await seen({ from: starts(2) })).toEqual(["run-b", "run-c"]);
  expect(await seen({ to: starts(2) })).toEqual(["run-a"]);
  expect(await seen({ executionIds: ["run-c", "run-a", "run-a", "nobody"] })).toEqual(["run-a", "run-c"]);
  expect(await seen({ executionIds: ["run-c", "run-a"], from: starts(2) })).toEqual(["run-c"]);
});

test.each<[string, (record: SpanRecord) => SpanRecord]>([
  ["throws", () => JSON.parse("{")],
  ["changes the trace", (record) => ({ ...record, traceId: "f".repeat(32) })],
  ["changes the span id", (record) => ({ ...record, spanId: "f".repeat(16) })],
  ["changes the execution", (record) => ({ ...record, executionId: "other" })],
  ["changes the revision", (record) => ({ ...record, revision: 7 })],
  ["gives no record", () => undefined as never],
  ["gives a broken record", (record) => ({ ...record, attributes: { ratio: Number.NaN } })],
  ["opens an ended span", ({ endTime: _, ...record }) => record],
])("a rule that %s is refused, and nothing is written", async (_, rule) => {
  const store = await storeOf(root("run-a", 1));
  const before = await store.getTrace("run-a", { view: "full" });
  expect(await codeOf(redactStored(store, rule))).toBe("invalid_argument");
  expect(await store.getTrace("run-a", { view: "full" })).toEqual(before);
});

test("what comes before a span on which the rule throws is done", async () => {
  const first = root("run-a", 1, { attributes: { password: SECRET } });
  const trace = { executionId: "run-a", traceId: first.traceId };
  const store = await storeOf(first, span(2, 1, { ...trace, name: "unlucky" }), span(3, 1, trace));
  const rule = (record: SpanRecord): SpanRecord => {
    if (record.name === "unlucky") throw new Error("unlucky");
    return withoutSecret(record);
  };
  expect(await codeOf(redactStored(store, rule))).toBe("invalid_argument");
  expect((await store.getSpan("run-a", first.spanId))?.attributes).toEqual({ password: "[gone]" });
});

test("a newer state that comes in between is redacted, too", async () => {
  const running = span(1, undefined, { attributes: { password: SECRET } });
  delete running.endTime;
  const ended = span(1, undefined, { attributes: { password: SECRET, more: SECRET } });
  const store = await storeOf(running);
  let writes = 0;
  const racing: RedactableStore = {
    listExecutions: (query) => store.listExecutions(query),
    getExecutions: (ids) => store.getExecutions(ids),
    getTrace: store.getTrace.bind(store),
    getSpan: (...args) => store.getSpan(...args),
    async write(spans) {
      if (writes++ === 0) await store.write([ended]);
      return store.write(spans);
    },
  };
  expect(await redactStored(racing, withoutSecret)).toEqual({ executions: 1, spans: 1 });
  expect(await store.getSpan("run-1", ended.spanId)).toEqual({
    ...ended,
    attributes: { password: "[gone]", more: "[gone]" },
    revision: 1,
  });
});

test("a span whose new state cannot be stored is named when all others are done", async () => {
  const full = makeSpan({
    executionId: "run-z",
    revision: Number.MAX_SAFE_INTEGER,
    attributes: { a: SECRET },
  });
  const store = await storeOf(full, root("run-a", 1, { attributes: { password: SECRET } }));
  await expect(redactStored(store, withoutSecret)).rejects.toThrow(full.spanId);
  expect((await store.getSpan("run-a", root("run-a", 1).spanId))?.attributes).toEqual({ password: "[gone]" });
});
