import type { JsonValue, SpanRecord } from "@spanloom/model";
import { jsonContent, makeSpan, textContent } from "@spanloom/model/fixtures";
import { equal, ok, present } from "./assert.ts";
import { readAll } from "./expected.ts";
import type { Chapter } from "./harness.ts";
import { jsonCopy, nested } from "./poison-records.ts";
import { call, root, span, spanIdOf, TRACE } from "./spans.ts";

/** Input that nobody asked for: it is refused by name or kept as it is, and harms nothing else. */
export function hostileInput({ test, features }: Chapter): void {
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
    const written = jsonCopy([root("run-1", 1, { traceId: TRACE }), fresh()]);
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
      await store.getAnalytics({ days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "day" }),
      await store.searchSpans("run-1", { text: "hello" }),
    ];
    equal(await store.getSpan("run-1", spanIdOf(2)), fresh(), "the span after its writer changed its copy");
    const before = jsonCopy(await read());
    for (const answer of await read()) deface(answer);
    equal(await read(), before, "the answers after a reader changed earlier ones");
  });

  test("whoever gave records may change them at once, while they are being written", async (opened) => {
    const store = opened.forScope("scope");
    const records = Array.from({ length: 1_100 }, (_, index) =>
      span(index + 1, index === 0 ? undefined : 1, {
        input: textContent(index % 100 === 7 ? "long ".repeat(99) : ""),
      }),
    );
    const given = jsonCopy(records);
    const writing = store.write(given);
    for (const record of given) deface(record);
    equal((await writing).rejected, [], "rejected records");
    equal(await readAll(store, "run-1", 500), records, "what is stored");
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
