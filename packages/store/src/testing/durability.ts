import { equal, present, rejects } from "./assert.ts";
import { checkExecution, Expected, Follower } from "./expected.ts";
import type { Chapter, TestedStore } from "./harness.ts";
import { randomHistory } from "./random-history.ts";
import { call, root, span, TRACE } from "./spans.ts";

/** Closing, and opening again. */
export function durability({ needs, features }: Chapter): void {
  const owned = needs("inProcess");
  owned("a closed store refuses every call", async (opened) => {
    const store = opened.forScope("scope");
    await store.write([root("run-1", 1)]);
    await opened.close();
    const calls: [string, () => unknown][] = [
      ["write", () => store.write([root("run-2", 2)])],
      ["listExecutions", () => store.listExecutions()],
      ["getExecutions", () => store.getExecutions(["run-1"])],
      ["getExecution", () => store.getExecution("run-1")],
      ["getTrace", () => store.getTrace("run-1")],
      ["getSpan", () => store.getSpan("run-1", root("run-1", 1).spanId)],
      ["changesSince", () => store.changesSince("run-1", 0)],
      ["getRunMetrics", () => store.getRunMetrics("run-1")],
      ["getDailyCosts", () => store.getDailyCosts({ days: 1, timeZone: "UTC" })],
      ["getAnalytics", () => store.getAnalytics({ days: 1, timeZone: "UTC" })],
      ["searchSpans", () => store.searchSpans("run-1", { text: "x" })],
      ...(features.administration ? administrationOf(store) : []),
    ];
    for (const [name, call] of calls) await rejects(call, "store_closed", `${name} after close`);
  });

  owned("writes that were asked for before close are done", async (opened) => {
    const store = opened.forScope("scope");
    const writes = [1, 2, 3].map((number) => store.write([root(`run-${number}`, number)]));
    await Promise.all([...writes, opened.close()]);
    for (const write of writes) equal((await write).written, 1, "the receipt");
  });

  const durable = needs("durable");

  durable("everything is there after a reopen, and goes on as before", async (opened) => {
    const reopen = present(opened.reopen, "reopen of the harness").bind(opened);
    for (const seed of [7, 8, 9]) {
      const expected = new Expected();
      const { batches, executionIds } = randomHistory(seed);
      const followers = executionIds.map((id) => new Follower(id));
      for (const [index, batch] of batches.entries()) {
        await opened.forScope(`scope-${seed}`).write(batch);
        expected.add(batch);
        if (index % 5 !== 4 && index !== batches.length - 1) continue;
        await reopen();
        const store = opened.forScope(`scope-${seed}`);
        for (const id of executionIds) await checkExecution(store, expected, id, 9);
        for (const follower of followers) {
          await follower.catchUp(store);
          follower.check(expected);
        }
        const query = {
          days: 14,
          timeZone: "Europe/Prague",
          lastDay: "2026-04-06",
          groupBy: "model",
        } as const;
        equal(await store.getDailyCosts(query), expected.dailyCosts(query), "getDailyCosts");
      }
    }
  });

  durable("seq, cursors and late names go on after a reopen", async (opened) => {
    const reopen = present(opened.reopen, "reopen of the harness").bind(opened);
    await opened.forScope("scope").write([root("run-1", 1, { traceId: TRACE }), span(2, 1), span(3, 1)]);
    const before = await opened.forScope("scope").getExecution("run-1");
    const page = present(await opened.forScope("scope").getTrace("run-1", { limit: 1 }), "the page");
    await reopen();
    const store = opened.forScope("scope");
    equal(await store.getExecution("run-1"), before, "the execution");
    await store.write([span(4, 1, { executionId: TRACE }), call(5, 2, 9)]);
    const cursor = present(page.nextCursor, "the cursor");
    const rest = present(await store.getTrace("run-1", { cursor }), "the rest");
    equal(
      rest.spans.map((one) => one.name),
      ["span 2", "span 3"],
      "the rest of the pages",
    );
    const changes = present(await store.changesSince("run-1", page.asOfSeq), "the feed");
    equal(changes.spans.map((one) => one.name).sort(), ["span 4", "span 5"], "the changes");
  });

  needs("durable", "administration")("a deletion is remembered after a reopen", async (opened) => {
    const reopen = present(opened.reopen, "reopen of the harness").bind(opened);
    await opened.forScope("scope").write([root("run-1", 1, { traceId: TRACE }), span(2, 1)]);
    await opened.forScope("scope").deleteExecution?.("run-1");
    await reopen();
    const store = opened.forScope("scope");
    const receipt = await store.write([span(2, 1), span(3, 1, { executionId: TRACE })]);
    equal(
      receipt.rejected.map((one) => one.code),
      ["deleted_execution", "deleted_execution"],
      "late spans",
    );
    equal((await store.listExecutions()).items, [], "executions");
  });
}

function administrationOf(store: TestedStore): [string, () => unknown][] {
  return [
    ["deleteExecution", () => present(store.deleteExecution, "deleteExecution").call(store, "run-1")],
    ["prune", () => present(store.prune, "prune").call(store, { before: "1" })],
    ["redact", () => present(store.redact, "redact").call(store, (record) => record)],
    ["recompute", () => present(store.recompute, "recompute").call(store)],
  ];
}
