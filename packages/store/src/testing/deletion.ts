import { equal, ok, present } from "./assert.ts";
import { checkExecution, Expected } from "./expected.ts";
import type { Chapter } from "./harness.ts";
import { call, root, span, spanIdOf, TRACE } from "./spans.ts";

/** What is deleted is gone from every answer, and stays gone. */
export function deletion({ needs }: Chapter): void {
  const test = needs("administration");
  const records = [
    root("run-1", 1, { traceId: TRACE }),
    span(2, 1, { nodeId: "n" }),
    call(3, 2, 10, { nodeId: "n" }),
  ];
  const costs = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "workflow" } as const;

  test("a deleted execution is gone from every answer and every sum", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const others = [
      root("run-2", 50),
      call(51, 50, 7, { executionId: "run-2", traceId: root("", 50).traceId }),
    ];
    await store.write([...records, ...others]);
    expected.add(others);
    equal(await store.deleteExecution?.("run-1"), true, "deleteExecution");
    equal(await store.deleteExecution?.("run-1"), false, "deleteExecution again");
    equal(await store.deleteExecution?.("run-9"), false, "deleteExecution of nothing");
    equal(await store.getExecution("run-1"), undefined, "getExecution");
    equal(await store.getTrace("run-1"), undefined, "getTrace");
    equal(await store.getSpan("run-1", spanIdOf(3)), undefined, "getSpan");
    equal(await store.getRunMetrics("run-1"), undefined, "getRunMetrics");
    equal(await store.getExecutions(["run-1", "run-2"]), (await store.listExecutions()).items, "executions");
    equal(await store.getDailyCosts(costs), expected.dailyCosts(costs), "getDailyCosts");
    await checkExecution(store, expected, "run-2");
    equal(await store.recompute?.(), { executions: 1, corrected: [] }, "recompute");
  });

  test("late spans of a deleted execution are refused by name, the others of the write are stored", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(records);
    await store.deleteExecution?.("run-1");
    const late = { ...records[1], revision: 5 } as (typeof records)[number];
    const receipt = await store.write([root("run-2", 50), late, span(60, 1), root("run-3", 51)]);
    equal([receipt.written, receipt.unchanged], [2, 0], "written and unchanged");
    const refused = receipt.rejected.map(({ index, code }) => [index, code]);
    equal(
      refused,
      [
        [1, "deleted_execution"],
        [2, "deleted_execution"],
      ],
      "refused records",
    );
    ok(
      receipt.rejected.every((one) => one.message !== ""),
      "a refusal without a message",
    );
    equal(await store.getExecution("run-1"), undefined, "getExecution");
    equal((await store.listExecutions()).items.length, 2, "executions");
  });

  test("nor does a late span that never learned its execution bring it back", async (opened) => {
    const store = opened.forScope("scope");
    await store.write([...records, span(4, 1, { executionId: TRACE })]);
    await store.deleteExecution?.("run-1");
    const receipt = await store.write([
      span(5, 1, { executionId: TRACE }),
      span(4, 1, { executionId: TRACE }),
    ]);
    equal(
      receipt.rejected.map((one) => one.code),
      ["deleted_execution", "deleted_execution"],
      "refused records",
    );
    equal((await store.listExecutions()).items, [], "executions");
    const unnamed = "d".repeat(32);
    await store.write([span(1, undefined, { traceId: unnamed, executionId: unnamed })]);
    equal(await store.deleteExecution?.(unnamed), true, "deleting an execution that has no name");
    const late = await store.write([span(2, 1, { traceId: unnamed, executionId: unnamed })]);
    equal(
      late.rejected.map((one) => one.code),
      ["deleted_execution"],
      "its late span",
    );
  });

  test("whoever follows a deleted execution learns which spans went away", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(records);
    const { seq } = present(await store.changesSince("run-1", 0), "the feed");
    await store.deleteExecution?.("run-1");
    const changes = present(await store.changesSince("run-1", seq), "the feed of a deleted execution");
    const removed = changes.removed.map((one) => one.spanId).sort();
    equal(removed, records.map((record) => record.spanId).sort(), "removed spans");
    equal([changes.spans, changes.execution.spanCount], [[], 0], "the rest of the answer");
    ok(changes.seq > seq, "seq grew");
    equal((await store.changesSince("run-1", 0))?.spans ?? [], [], "the feed from 0");
  });

  test("spans of other executions in the same trace stay, and count what nobody hides any more", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const inner = [
      span(10, 3, { executionId: "run-inner", kind: "agent", usage: { input: 40 } }),
      call(11, 10, 40, { executionId: "run-inner" }),
    ];
    const outer = [root("run-1", 1, { traceId: TRACE, usage: { input: 999 } }), span(3, 1)];
    await store.write([...outer, ...inner]);
    equal(await store.deleteExecution?.("run-inner"), true, "deleting the inner one");
    expected.add(outer);
    await checkExecution(store, expected, "run-1");
    equal((await store.getExecution("run-1"))?.usage.input, 999, "tokens of the outer one");
  });

  test("names that a deleted execution gave are not given again", async (opened) => {
    const store = opened.forScope("scope");
    await store.write([...records, span(8, undefined, { executionId: "run-other" })]);
    await store.deleteExecution?.("run-1");
    equal(
      (await store.listExecutions()).items.map((item) => item.executionId),
      ["run-other"],
      "what is left",
    );
    equal((await store.write([span(9, 8, { executionId: "run-other" })])).written, 1, "more of the other");
    equal((await store.getExecution("run-other"))?.spanCount, 2, "spans of the other");
  });

  test("ids that are no execution delete nothing", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(records);
    for (const id of [
      "",
      "%",
      "run-",
      "RUN-1",
      "run-1\u0000",
      "__proto__",
      "' OR 1=1 --",
      "x".repeat(5_000),
    ]) {
      equal(await store.deleteExecution?.(id), false, `deleteExecution ${JSON.stringify(id).slice(0, 30)}`);
    }
    equal((await store.getExecution("run-1"))?.spanCount, 3, "spans");
  });
}
