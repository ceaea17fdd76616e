import type { SpanRecord } from "@spanloom/model";
import { equal, ok } from "./assert.ts";
import { checkExecution, Expected, Follower } from "./expected.ts";
import type { Chapter, OpenStore } from "./harness.ts";
import { checkSums } from "./old-runs.ts";
import { at, call, root, span, TRACE, traceIdOf } from "./spans.ts";

const YEAR = 365 * 86_400;
const FIRST = "0";
const LAST = "9223372036854775807";

/** Clocks that are wrong, and machines that do not agree: nothing is refused, nothing is lost, answers stay the reference's. */
export function clockSkew({ test, needs }: Chapter): void {
  test("children that begin before and end after their parents", async (opened) => {
    await play(opened, [
      [root("run-1", 100, { traceId: TRACE, endTime: at(110) })],
      [
        call(50, 100, 5),
        call(150, 100, 6, { endTime: at(400) }),
        span(20, 50),
        span(101, 150, { nodeId: "n" }),
      ],
      [span(10, 20, { nodeId: "n", endTime: at(500) }), span(600, 10, { nodeId: "n", attempt: 2 })],
    ]);
  });

  test("ends before starts: durations below nothing break no sum", async (opened) => {
    await play(opened, [
      [root("run-1", 100, { traceId: TRACE, endTime: at(90) })],
      [call(110, 100, 5, { endTime: at(60), nodeId: "n", nodeType: "agent" })],
      [span(120, 100, { endTime: FIRST, nodeId: "n", nodeType: "agent", firstTokenTime: at(1) })],
      [root("run-2", 200, { endTime: at(199.999_999_999) }), root("run-3", 300, { endTime: at(300) })],
    ]);
  });

  test("machines whose clocks are a day, a year and a nanosecond apart write one trace", async (opened) => {
    const skews = [0, -86_400, 86_400, YEAR, -3 * YEAR, 1e-9, -3_600.5];
    const machines = skews.map((skew, machine) =>
      Array.from({ length: 6 }, (_, index): SpanRecord => {
        const number = 100 * (machine + 1) + index;
        const parent = index > 0 ? number - 1 : machine > 0 ? 100 : undefined;
        return call(number, parent ?? 0, number, {
          ...(parent === undefined && {
            kind: "workflow",
            parentSpanId: undefined,
            executionStatus: "completed",
          }),
          startTime: at(10 * machine + index + skew),
          endTime: at(10 * machine + index + 1 + skew),
          nodeId: `node-${index % 3}`,
          resource: { attributes: { "service.name": `machine-${machine}` } },
        });
      }),
    );
    // By turns, the last of each first: neither arrival nor time is the order of the tree.
    const steps = Array.from({ length: 6 }, (_, turn) => machines.flatMap((spans) => spans[5 - turn] ?? []));
    await play(opened, steps);
  });

  test("a resumed run whose later segment is on an earlier clock", async (opened) => {
    await play(opened, [
      [root("run-1", 100, { executionStatus: "waiting", endTime: at(101) })],
      [root("run-1", 50, { executionStatus: "running", endTime: undefined })],
      [call(51, 50, 7, { traceId: traceIdOf(50) })],
      [root("run-1", 50, { executionStatus: "failed", endTime: at(20) })],
    ]);
  });

  test("the first and the last moment there are, the far past and the far future", async (opened) => {
    const far = [-50 * YEAR, -20 * YEAR, 20 * YEAR, 100 * YEAR, 200 * YEAR];
    await play(opened, [
      far.map((seconds, index) =>
        root(`run-${index}`, index + 1, { startTime: at(seconds), endTime: at(seconds + 1) }),
      ),
      [
        root("run-first", 20, { startTime: FIRST, endTime: FIRST }),
        root("run-last", 21, { startTime: LAST, endTime: LAST }),
      ],
      [
        call(22, 20, 9, {
          traceId: traceIdOf(20),
          executionId: "run-first",
          startTime: LAST,
          endTime: FIRST,
        }),
      ],
      [
        span(23, 21, {
          traceId: traceIdOf(21),
          executionId: "run-last",
          startTime: FIRST,
          endTime: undefined,
        }),
      ],
    ]);
    const store = opened.forScope("scope");
    const order = (await store.listExecutions()).items.map((item) => item.executionId);
    equal(order, ["run-last", "run-4", "run-3", "run-2", "run-1", "run-0", "run-first"], "newest first");
  });

  test("a start that is corrected moves what the span adds", async (opened) => {
    const first = root("run-1", 1, { traceId: TRACE, usage: { input: 5 }, endTime: at(3 * 86_400) });
    await play(opened, [
      [{ ...first, startTime: at(-2 * YEAR) }],
      [call(2, 1, 7, { startTime: at(YEAR), endTime: at(YEAR) })],
      [{ ...first, revision: 1 }],
      [call(2, 1, 7, { revision: 1 })],
    ]);
  });

  needs("administration")(
    "retention goes by the clocks of spans, and takes nothing that lies in the future",
    async (opened) => {
      const store = opened.forScope("scope");
      await store.write([
        root("run-future", 1, { startTime: at(100 * YEAR), endTime: at(50) }),
        root("run-back", 2, { startTime: at(900), endTime: at(20) }),
        root("run-past", 3, { startTime: FIRST, endTime: at(20) }),
      ]);
      const report = await store.prune?.({ before: at(500) });
      equal(report, { executions: 1, spans: 1, more: false }, "the report");
      const left = (await store.listExecutions()).items.map((item) => item.executionId);
      equal(left, ["run-future", "run-back"], "what is left");
      const late = await store.write([span(9, undefined, { startTime: at(900), endTime: at(20) })]);
      equal(late.written, 1, "a span that only ends before the line");
      ok((await store.recompute?.())?.corrected.length === 0, "recompute corrected something");
    },
  );
}

/** Writes step by step; after each one everything is as the reference says. */
async function play(opened: OpenStore, steps: readonly SpanRecord[][]): Promise<void> {
  const store = opened.forScope("scope");
  const expected = new Expected();
  const followers = [...new Set(steps.flat().map((one) => one.executionId))].map((id) => new Follower(id));
  for (const step of steps) {
    equal((await store.write(step)).rejected, [], "rejected records");
    expected.add(step);
    for (const follower of followers) {
      await checkExecution(store, expected, follower.executionId, 3);
      await follower.catchUp(store);
      follower.check(expected);
    }
    for (const lastDay of ["1970-01-08", "2026-11-21", "2027-11-21"]) {
      await checkSums(store, expected, { days: 7, timeZone: "Europe/Berlin", lastDay });
    }
  }
}
