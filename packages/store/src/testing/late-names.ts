import type { SpanRecord } from "@spanloom/model";
import { equal, present } from "./assert.ts";
import { checkExecution, Expected, Follower } from "./expected.ts";
import type { Chapter, OpenStore } from "./harness.ts";
import { call, root, span, spanIdOf, TRACE } from "./spans.ts";

/** Spans that come before anyone knows their execution: until then it is their trace. */
export function lateNames({ test }: Chapter): void {
  const unnamed = (number: number, parent?: number, fields: Partial<SpanRecord> = {}): SpanRecord =>
    span(number, parent, { executionId: TRACE, ...fields });
  const named = root("run-1", 1, { traceId: TRACE });

  test("unnamed spans are an execution of their trace's id", async (opened) => {
    await play(opened, [[unnamed(2, 1)], [unnamed(1), call(3, 2, 10, { executionId: TRACE })]]);
  });

  test("when a root names it, all of the trace moves there and the old execution vanishes", async (opened) => {
    const store = opened.forScope("scope");
    const children = [unnamed(2, 1), call(3, 2, 10, { executionId: TRACE, nodeId: "n" })];
    await store.write(children);
    const { seq } = present(await store.changesSince(TRACE, 0), "the feed");
    await store.write([named]);
    equal(await store.getExecution(TRACE), undefined, "the old execution");
    const list = (await store.listExecutions()).items;
    equal(
      list.map((item) => [item.executionId, item.spanCount]),
      [["run-1", 3]],
      "listed executions",
    );
    equal(list[0]?.usage.input, 10, "tokens of the named execution");
    equal(
      await store.getSpan("run-1", spanIdOf(2)),
      { ...children[0], executionId: "run-1" },
      "a span read back carries the name",
    );
    equal(await store.getSpan(TRACE, spanIdOf(2)), undefined, "the span under its old execution");
    const feed = present(await store.changesSince(TRACE, seq), "the feed of the old execution");
    const ids = feed.removed.map((one) => one.spanId).sort();
    equal(ids, [spanIdOf(2), spanIdOf(3)], "removed spans");
    const query = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "workflow" } as const;
    const [day] = (await store.getDailyCosts(query)).days;
    equal(
      day?.groups.map((group) => group.key),
      ["workflow-1"],
      "the workflow that pays",
    );
  });

  test("unnamed spans that come after the name join it", async (opened) => {
    await play(opened, [[named], [unnamed(2, 1)], [call(3, 2, 10, { executionId: TRACE })]]);
  });

  test("any span may give the name: a root before a parentless one, that before others, then the earliest", async (opened) => {
    await play(opened, [
      [unnamed(9, 8), unnamed(10, 9)],
      [span(7, 6, { executionId: "of a child" })],
      [span(6, 5, { executionId: "of an earlier child" })],
      [span(8, undefined, { executionId: "of a parentless span" })],
      [span(5, undefined, { executionId: "of an earlier parentless span" })],
      [root("of a root", 11, { traceId: TRACE, parentSpanId: spanIdOf(3) })],
      [root("of an earlier root", 4, { traceId: TRACE })],
      [unnamed(12, 1)],
    ]);
  });

  test("a naming span that loses its rank or its name gives way to the next", async (opened) => {
    await play(opened, [
      [
        unnamed(9, 8),
        span(2, undefined, { executionId: "run-1" }),
        span(3, undefined, { executionId: "run-2" }),
      ],
      [span(2, 8, { executionId: "run-1", revision: 1 })],
      [span(3, undefined, { executionId: TRACE, revision: 1 })],
      [span(2, 8, { executionId: TRACE, revision: 2 })],
      [span(2, 8, { executionId: "run-3", revision: 3 })],
      [span(2, 8, { executionId: "run-4", revision: 4 })],
    ]);
  });

  test("named spans stay where they are named", async (opened) => {
    const inner = call(5, 2, 30, { executionId: "run-inner" });
    await play(opened, [
      [unnamed(2, 1), inner],
      [named],
      [unnamed(4, 5)],
      [{ ...inner, revision: 1, usage: { input: 1 } }],
    ]);
  });

  test("an execution that is named like another trace keeps its name", async (opened) => {
    const other = "c".repeat(32);
    await play(opened, [
      [span(1, undefined, { executionId: other })],
      [span(2, undefined, { traceId: other, executionId: other })],
      [span(3, undefined, { traceId: other, executionId: "run-1" })],
    ]);
  });
}

/** Writes step by step; after each one everything is as the reference says, also for those who follow. */
async function play(opened: OpenStore, steps: readonly SpanRecord[][]): Promise<void> {
  const store = opened.forScope("scope");
  const expected = new Expected();
  const ids = [...new Set(steps.flat().flatMap((record) => [record.executionId, record.traceId]))];
  const followers = ids.map((id) => new Follower(id));
  for (const step of steps) {
    await store.write(step);
    expected.add(step);
    for (const id of ids) await checkExecution(store, expected, id);
    for (const follower of followers) {
      await follower.catchUp(store);
      follower.check(expected);
    }
  }
}
