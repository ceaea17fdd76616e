import type { SpanRecord } from "@spanloom/model";
import { hostileTraces, runningTrace, sampleTrace, textContent } from "@spanloom/model/fixtures";
import { equal, ok, present } from "./assert.ts";
import { checkExecution, Expected } from "./expected.ts";
import type { Chapter } from "./harness.ts";
import { at, call, root, span, spanIdOf, TRACE, traceIdOf } from "./spans.ts";

/** One record after another: which one is kept, and what the receipt says. */
export function writesAndMerge({ test }: Chapter): void {
  const running = span(1, undefined, { endTime: undefined });
  const updated = { ...running, revision: 3, name: "updated" };
  const lost: SpanRecord = { ...span(1), syntheticEnd: "process_lost" };
  const ended = span(1, undefined, { name: "ended" });
  const revised = { ...ended, revision: 1, name: "revised" };

  test("what is written is read back whole", async (opened) => {
    for (const trace of [sampleTrace(), runningTrace()]) {
      const store = opened.forScope(`scope of ${trace.length}`);
      const expected = new Expected();
      expected.add(trace);
      const receipt = await store.write(trace);
      equal(receipt, { written: trace.length, unchanged: 0, rejected: [] }, "the receipt");
      for (const id of new Set(trace.map((record) => record.executionId))) {
        await checkExecution(store, expected, id, 7);
      }
      for (const record of expected.spans()) {
        const read = await store.getSpan(record.executionId, record.spanId, record.traceId);
        equal(read, record, `getSpan ${record.spanId}`);
      }
    }
  });

  test("the later state of a span wins, whichever comes first", async (opened) => {
    const states = [running, updated, lost, ended, revised];
    for (const [better, winner] of states.entries()) {
      for (const loser of states.slice(0, better)) {
        const pair = `${nameOf(winner)} against ${nameOf(loser)}`;
        const upward = opened.forScope(`upward: ${pair}`);
        equal((await upward.write([loser])).written, 1, `the first record: ${pair}`);
        equal((await upward.write([winner])).written, 1, `the winner is written: ${pair}`);
        const downward = opened.forScope(`downward: ${pair}`);
        await downward.write([winner]);
        equal(
          await downward.write([loser]),
          { written: 0, unchanged: 1, rejected: [] },
          `the loser: ${pair}`,
        );
        const together = opened.forScope(`together: ${pair}`);
        await together.write([winner, loser]);
        for (const store of [upward, downward, together]) {
          equal(await store.getSpan("run-1", winner.spanId), winner, `the record that is kept: ${pair}`);
        }
      }
    }
  });

  test("two records of one revision: the same one is kept, whichever comes first", async (opened) => {
    const one = span(1, undefined, { attributes: { b: 1, a: "ä" } });
    const other = span(1, undefined, { attributes: { a: "z" } });
    const left = opened.forScope("left");
    const right = opened.forScope("right");
    for (const record of [one, other]) await left.write([record]);
    for (const record of [other, one]) await right.write([record]);
    equal(
      await left.getSpan("run-1", one.spanId),
      await right.getSpan("run-1", one.spanId),
      "the record kept",
    );
  });

  test("the whole winner is kept, never a mix", async (opened) => {
    const store = opened.forScope("scope");
    await store.write([call(1, 9, 100, { input: textContent("hello"), endTime: undefined })]);
    await store.write([span(1)]);
    equal(await store.getSpan("run-1", spanIdOf(1)), span(1), "the record kept");
    equal((await store.getExecution("run-1"))?.usage.items, 0, "counted items");
  });

  test("a retry changes nothing, not even seq", async (opened) => {
    const store = opened.forScope("scope");
    const batch = [root("run-1", 1), span(2, 1), call(3, 2, 50)];
    await store.write(batch);
    const before = await store.getExecution("run-1");
    equal(await store.write(batch), { written: 0, unchanged: 3, rejected: [] }, "the receipt of a retry");
    equal(await store.getExecution("run-1"), before, "the execution after a retry");
  });

  test("an empty write is no write", async (opened) => {
    const store = opened.forScope("scope");
    equal(await store.write([]), { written: 0, unchanged: 0, rejected: [] }, "the receipt");
    equal((await store.listExecutions()).items, [], "executions");
  });

  test("seq grows with every write that changes the execution, and only then", async (opened) => {
    const store = opened.forScope("scope");
    let seq = 0;
    for (const record of [root("run-1", 1), span(2, 1), { ...span(2, 1), revision: 1 }]) {
      await store.write([record, root("run-2", 2)]);
      const now = present(await store.getExecution("run-1"), "run-1").seq;
      ok(now > seq, `seq went from ${seq} to ${now}`);
      seq = now;
    }
    const other = present(await store.getExecution("run-2"), "run-2").seq;
    await store.write([span(4, 1)]);
    equal((await store.getExecution("run-2"))?.seq, other, "the seq of an execution in another trace");
  });

  test("usage counts once, also across writes, executions and late parents", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const steps: SpanRecord[][] = [
      [call(4, 3, 100)],
      [span(2, 1, { kind: "agent", usage: { input: 100, output: 1 } })],
      [span(3, 2, { kind: "node", nodeId: "n" })],
      [root("run-1", 1, { traceId: TRACE, usage: { input: 500 }, cost: { nanoUsd: 9, source: "reported" } })],
      [span(5, 2, { kind: "tool", cost: { nanoUsd: 70, source: "reported" } })],
      [call(6, 4, 30, { executionId: "run-inner" })],
      [{ ...call(6, 4, 0, { executionId: "run-inner" }), usage: undefined, cost: undefined, revision: 1 }],
      [{ ...span(4, 2), revision: 1 }],
    ];
    for (const step of steps) {
      await store.write(step);
      expected.add(step);
      await checkExecution(store, expected, "run-1");
      await checkExecution(store, expected, "run-inner");
    }
  });

  test("segments: the first says what ran, the latest what became of it", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const first = root("run-1", 1, { executionStatus: "waiting", threadId: "thread-1" });
    const second = root("run-1", 50, {
      workflowName: "Other",
      endTime: undefined,
      executionStatus: "running",
    });
    const steps = [
      [span(60, 50, { traceId: traceIdOf(50) })],
      [second],
      [first],
      [{ ...second, endTime: at(70), executionStatus: "cancelled" as const }],
    ];
    for (const step of steps) {
      await store.write(step);
      expected.add(step);
      await checkExecution(store, expected, "run-1");
    }
  });

  test("hostile traces are kept whole: cycles, orphans, twins, odd text, skewed clocks", async (opened) => {
    for (const hostile of hostileTraces()) {
      const store = opened.forScope(hostile.name);
      const expected = new Expected();
      // Node ids with lone surrogates may be refused; see the chapter on hostile input.
      const spans = hostile.spans.map(({ nodeId, ...record }) =>
        nodeId === undefined ? record : { ...record, nodeId: nodeId.replaceAll(/\p{Surrogate}/gu, "?") },
      );
      expected.add(spans);
      equal((await store.write(spans)).rejected, [], `rejected records: ${hostile.name}`);
      for (const id of new Set(spans.map((record) => record.executionId))) {
        await checkExecution(store, expected, id, 300);
      }
    }
  });
}

function nameOf(record: SpanRecord): string {
  if (record.endTime === undefined) return record.revision === 0 ? "a start" : "an update";
  if (record.syntheticEnd !== undefined) return "a synthetic end";
  return record.revision === 0 ? "a real end" : "a later revision of the end";
}
