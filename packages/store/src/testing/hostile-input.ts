import type { JsonValue, SpanRecord } from "@spanloom/model";
import { jsonContent, makeSpan, textContent } from "@spanloom/model/fixtures";
import { equal, ok, present } from "./assert.ts";
import { checkExecution, Expected } from "./expected.ts";
import type { Chapter } from "./harness.ts";
import { call, root, span, spanIdOf, TRACE } from "./spans.ts";

/** Ids that a host may really have, and that careless code takes for something else. */
const HOSTILE_IDS = [
  "__proto__",
  "constructor",
  "toString",
  "a\u0000b",
  "a\u0000c",
  "../../etc/passwd",
  "..\\windows",
  "a/b?c=d#e",
  "%2e%2e",
  "%",
  "_",
  "'; DROP TABLE span; --",
  '" OR ""="',
  "$1",
  "日本語",
  "👩‍👩‍👧‍👦",
  "é",
  "e\u0301",
  "\u202etxt.exe",
  " ",
  "Run",
  "run",
  "-1",
  "null",
  "line\nbreak",
  "x".repeat(200),
  `${"x".repeat(199)}y`,
];

/** Records that cannot be stored, and what is wrong with them. */
const POISON: [name: string, record: unknown][] = [
  ["null", null],
  ["a string", "span"],
  ["a number", 7],
  ["a list", []],
  ["an empty object", {}],
  ["a short trace id", { ...span(1), traceId: "abc" }],
  ["a trace id of zeros", { ...span(1), traceId: "0".repeat(32) }],
  ["an upper-case span id", { ...span(1), spanId: "ABCDEF0123456789" }],
  ["a parent id that is none", { ...span(1), parentSpanId: "../x" }],
  ["an empty execution id", { ...span(1), executionId: "" }],
  ["an execution id of 201", { ...span(1), executionId: "x".repeat(201) }],
  ["an execution id that URLs drop", { ...span(1), executionId: ".." }],
  ["no name", { ...span(1), name: undefined }],
  ["an unknown kind", { ...span(1), kind: "banana" }],
  ["a time as a number", { ...span(1), startTime: 1_795_167_000_000 }],
  ["a time as RFC 3339", { ...span(1), startTime: "2026-11-20T09:30:00Z" }],
  ["a negative time", { ...span(1), endTime: "-5" }],
  ["a time beyond int64", { ...span(1), endTime: "9223372036854775808" }],
  [
    "a synthetic end without an end",
    { ...span(1, undefined, { endTime: undefined }), syntheticEnd: "timed_out" },
  ],
  ["negative tokens", { ...span(1), usage: { input: -1 } }],
  ["half a token", { ...span(1), usage: { input: 1.5 } }],
  ["a cost in floats", { ...span(1), cost: { nanoUsd: 0.1, source: "reported" } }],
  ["a revision that is none", { ...span(1), revision: -1 }],
  ["attributes as text", { ...span(1), attributes: "a=b" }],
  ["attributes nested too deep", { ...span(1), attributes: { deep: nested(150) } }],
  ["a newer schema", { ...span(1), schemaVersion: 99 }],
];

/** Input that nobody asked for: it is refused by name or kept as it is, and harms nothing else. */
export function hostileInput({ test, features }: Chapter): void {
  test("poison records are named, and the rest of the write is stored", async (opened) => {
    const store = opened.forScope("scope");
    const batch: unknown[] = [root("run-1", 1, { traceId: TRACE })];
    const bad: number[] = [];
    for (const [index, [, record]] of POISON.entries()) {
      bad.push(batch.length);
      batch.push(record, span(index + 2, 1));
    }
    const receipt = await store.write(batch as SpanRecord[]);
    equal(receipt.written, POISON.length + 1, "written records");
    equal(
      receipt.rejected.map((one) => one.index),
      bad,
      "places of the rejected",
    );
    for (const [at, { code, message }] of receipt.rejected.entries()) {
      const name = POISON[at]?.[0];
      equal(code, "invalid_record", `the code for ${name}`);
      ok(message !== "" && message.length < 500, `no short message for ${name}: ${message.slice(0, 600)}`);
    }
    equal((await store.getExecution("run-1"))?.spanCount, POISON.length + 1, "stored spans");
  });

  test("a poison record alone harms nothing that is stored", async (opened) => {
    const store = opened.forScope("scope");
    await store.write([span(1)]);
    for (const [name, record] of POISON) {
      const receipt = await store.write([record as SpanRecord]);
      equal([receipt.written, receipt.unchanged, receipt.rejected.length], [0, 0, 1], `the receipt: ${name}`);
      equal(await store.getSpan("run-1", spanIdOf(1)), span(1), `the stored span: ${name}`);
      equal((await store.listExecutions()).items.length, 1, `executions: ${name}`);
    }
  });

  test("hostile ids are ids like any other", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const records = HOSTILE_IDS.flatMap((id, index) => {
      const own = { workflowId: id, workflowName: id, threadId: id, nodeId: id, nodeType: id, name: id };
      const first = root(id, index + 1, { ...own, model: id, provider: id, usage: { input: 1 } });
      return [first, span(500 + index, index + 1, { traceId: first.traceId, executionId: id, nodeId: id })];
    });
    equal((await store.write(records)).rejected, [], "rejected records");
    expected.add(records);
    for (const id of HOSTILE_IDS) {
      await checkExecution(store, expected, id, 1);
      const ids = async (query: object): Promise<string[]> =>
        (await store.listExecutions({ ...query, limit: 500 })).items.map((item) => item.executionId);
      equal(await ids({ workflowId: id }), [id], "by workflow");
      equal(await ids({ threadId: id }), [id], "by thread");
      equal((await store.changesSince(id, 0))?.spans.length, 2, "changesSince");
      const query = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", workflowId: id };
      equal(await store.getDailyCosts(query), expected.dailyCosts(query), "getDailyCosts");
    }
    equal(
      (await store.getExecutions(HOSTILE_IDS)).map((item) => item.executionId),
      HOSTILE_IDS,
      "getExecutions",
    );
    for (const groupBy of ["workflow", "model"] as const) {
      const query = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy };
      equal(await store.getDailyCosts(query), expected.dailyCosts(query), `costs by ${groupBy}`);
    }
    equal(Object.keys(Object.prototype), [], "the prototype of all objects");
  });

  test("an id that is no well-formed text is refused, or kept exactly", async (opened) => {
    const store = opened.forScope("scope");
    const ids = ["run \ud800", "run \udfff"];
    const receipt = await store.write(ids.map((id, index) => root(id, index + 1)));
    const kept = ids.filter((_, index) => !receipt.rejected.some((one) => one.index === index));
    equal(
      (await store.listExecutions()).items.map((item) => item.executionId).sort(),
      kept.sort(),
      "kept ids",
    );
  });

  test("content and attributes come back as they were, whatever their text", async (opened) => {
    const store = opened.forScope("scope");
    const values: JsonValue = JSON.parse(
      '{"__proto__":{"polluted":true},"constructor":1,"":"empty","a\\u0000b":"nul\\u0000","lone":"\\ud800 surrogate",' +
        '"n":[1e308,-1e-308,0.1,9007199254740991,-9007199254740991,true,null,[],{}],"$int":"9007199254740993"}',
    );
    const record = call(1, 9, 9, {
      name: "'; DROP TABLE span; -- \u0000 \u2028 <script>",
      attributes: values as SpanRecord["attributes"],
      events: [{ name: "e\u0000", time: "1", attributes: values as SpanRecord["attributes"] }],
      links: [{ traceId: TRACE, spanId: spanIdOf(1), attributes: {}, flags: 1 }],
      input: jsonContent(values),
      output: textContent("\u0000\ud83d ' \" \\ 👩‍👩‍👧‍👦".repeat(50)),
      status: { code: "error", message: "'\u0000'" },
      provenance: { model: { dialect: "gen_ai", key: "__proto__" } },
    });
    equal((await store.write([record])).rejected, [], "rejected records");
    equal(await store.getSpan("run-1", record.spanId), record, "the record");
    equal((await store.getTrace("run-1", { view: "full" }))?.spans, [record], "the page");
    ok(!("polluted" in {}), "the prototype of all objects was written to");
  });

  test("large text and deep values come back whole", async (opened) => {
    const store = opened.forScope("scope");
    const record = span(1, undefined, {
      name: "n".repeat(20_000),
      workflowName: "w".repeat(20_000),
      attributes: {
        deep: nested(95),
        many: Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`k${i}`, i])),
      },
      output: textContent("0123456789abcdef".repeat(20_000)),
    });
    equal((await store.write([record])).rejected, [], "rejected records");
    equal(await store.getSpan("run-1", record.spanId), record, "the record");
    const sort = { by: "workflowName", direction: "asc" } as const;
    equal(
      (await store.listExecutions({ sort, limit: 1 })).items[0]?.workflowName,
      record.workflowName,
      "the name",
    );
  });

  test("extreme numbers and times break no answer", async (opened) => {
    const store = opened.forScope("scope");
    const most = Number.MAX_SAFE_INTEGER;
    const last = "9223372036854775807";
    await store.write([root("run-ordinary", 1)]);
    const records = [
      root("run-long", 2, {
        startTime: "0",
        endTime: last,
        usage: { input: most },
        cost: { nanoUsd: most, source: "reported" },
      }),
      root("run-late", 3, {
        startTime: last,
        endTime: "1",
        usage: { output: most },
        attempt: 1,
        nodeId: "n",
      }),
      root("run-early", 4, { startTime: "999", endTime: undefined, revision: most }),
    ];
    equal((await store.write(records)).rejected, [], "rejected records");
    for (const record of records) {
      equal(await store.getSpan(record.executionId, record.spanId), record, "the record");
      const detail = present(await store.getExecution(record.executionId), "the execution");
      equal([detail.startTime, detail.endTime], [record.startTime, record.endTime], "its times");
      equal(detail.usage.input ?? detail.usage.output, record.usage && most, "its tokens");
      ok(await store.getTrace(record.executionId), "its trace");
      ok(await store.getRunMetrics(record.executionId), "its run metrics");
    }
    const listed = (await store.listExecutions()).items.map((item) => item.executionId);
    equal(listed, ["run-late", "run-ordinary", "run-early", "run-long"], "the list, newest first");
    ok(
      await store.getDailyCosts({ days: 7, timeZone: "UTC", lastDay: "1970-01-05" }),
      "costs of the first days",
    );
    if (features.administration) {
      equal((await store.recompute?.())?.corrected, [], "recompute");
      equal(await store.deleteExecution?.("run-long"), true, "deletion");
    }
  });

  test("nobody can change what is stored through what was written or read", async (opened) => {
    const store = opened.forScope("scope");
    const fresh = (): SpanRecord =>
      call(2, 1, 10, {
        nodeId: "n",
        attributes: { list: ["a"] },
        artifacts: [{ artifactId: "file", name: "file.txt" }],
        input: textContent("hello"),
      });
    const written = structuredClone([root("run-1", 1, { traceId: TRACE }), fresh()]);
    await store.write(written);
    for (const record of written) deface(record);
    const read = async (): Promise<unknown[]> => [
      await store.getExecution("run-1"),
      await store.getExecutions(["run-1"]),
      await store.listExecutions(),
      await store.getTrace("run-1"),
      await store.getTrace("run-1", { view: "full" }),
      await store.getSpan("run-1", spanIdOf(2)),
      await store.changesSince("run-1", 0),
      await store.getRunMetrics("run-1"),
      await store.getDailyCosts({ days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "model" }),
    ];
    equal(await store.getSpan("run-1", spanIdOf(2)), fresh(), "the span after its writer changed its copy");
    const before = structuredClone(await read());
    for (const answer of await read()) deface(answer);
    equal(await read(), before, "the answers after a reader changed earlier ones");
  });

  test("a write that is no list is refused, and the store goes on", async (opened) => {
    const store = opened.forScope("scope");
    const one = makeSpan();
    const noList: unknown = one;
    let refused = false;
    try {
      await store.write(noList as SpanRecord[]);
    } catch {
      refused = true;
    }
    ok(refused, "a record instead of a list was accepted");
    equal((await store.write([one])).written, 1, "the next write");
  });
}

/** Overwrites every value in an object, as far as it lets itself be changed. */
function deface(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const member of Object.values(value)) deface(member);
  for (const key of Object.keys(value)) Reflect.set(value, key, "defaced");
}

function nested(depth: number): JsonValue {
  let value: JsonValue = "bottom";
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { level: value };
  return value;
}
