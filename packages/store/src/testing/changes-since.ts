import { spanKey, toSkeleton } from "@spanloom/model";
import { MAX_PAGE_LENGTH } from "../page-room.ts";
import { checkLength, equal, ok, present, rejects, within } from "./assert.ts";
import { Expected, Follower } from "./expected.ts";
import type { Chapter } from "./harness.ts";
import { call, root, span, spanIdOf, TRACE } from "./spans.ts";

/** The feed on which live views, polling and stream resume stand. */
export function changesSince({ test, needs }: Chapter): void {
  test("0 gives everything, a later seq only what changed since", async (opened) => {
    const store = opened.forScope("scope");
    await store.write([span(1), span(2, 1)]);
    const first = present(await store.changesSince("run-1", 0), "the feed");
    equal(first.spans.map(spanKey).sort(), [span(1), span(2)].map(spanKey).sort(), "all spans");
    equal([first.removed, first.more], [[], false], "removed and more");
    equal(first.seq, (await store.getExecution("run-1"))?.seq, "seq");
    await store.write([span(3, 1), { ...span(1), revision: 1, name: "later" }, span(2, 1)]);
    const second = present(await store.changesSince("run-1", first.seq), "the feed");
    equal(second.spans.map((one) => one.name).sort(), ["later", "span 3"], "changed spans");
    equal(second.execution, (await store.getExecutions(["run-1"]))[0], "the execution beside them");
    const third = present(await store.changesSince("run-1", second.seq), "the feed");
    equal([third.spans, third.removed, third.seq, third.more], [[], [], second.seq, false], "nothing new");
  });

  test("spans come in the order of their commits, each once, as skeletons", async (opened) => {
    const store = opened.forScope("scope");
    const late = call(1, 9, 5, { attributes: { secret: "content" } });
    for (const batch of [[span(4)], [late], [span(3)], [{ ...span(4), revision: 1 }]])
      await store.write(batch);
    const { spans } = present(await store.changesSince("run-1", 0), "the feed");
    equal(
      spans,
      [toSkeleton(late), toSkeleton(span(3)), toSkeleton({ ...span(4), revision: 1 })],
      "the feed",
    );
  });

  test("a write larger than the limit comes in parts that lose nothing", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const spans = Array.from({ length: 1_203 }, (_, index) => span(index + 1, index === 0 ? undefined : 1));
    await store.write(spans);
    expected.add(spans);
    for (const limit of [1_000, 500, 101]) {
      const follower = new Follower("run-1");
      const answers = await follower.catchUp(store, limit);
      ok(answers.length >= 1_203 / limit, `${answers.length} answers for a limit of ${limit}`);
      follower.check(expected);
    }
    const unasked = present(await store.changesSince("run-1", 0), "the feed");
    equal([unasked.spans.length, unasked.more], [500, true], "without a limit: 500 spans, and more");
  });

  test("large spans come in several answers, however many are asked for", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const name = "x".repeat(MAX_PAGE_LENGTH * 0.4);
    const spans = [1, 2, 3, 4].map((number) => span(number, undefined, { name }));
    const moved = { ...span(5), revision: 1, executionId: "run-2" };
    const larger = span(6, undefined, { name: name.repeat(3) });
    for (const batch of [[...spans, span(5)], [moved], [larger, span(7)]]) {
      await store.write(batch);
      expected.add(batch);
    }
    const follower = new Follower("run-1");
    const answers = await follower.catchUp(store, 10_000);
    for (const changes of answers) checkLength(changes.spans, "an answer");
    follower.check(expected);
  });

  test("a span that moves to another execution leaves a tombstone behind", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const old = new Follower("run-1");
    const other = new Follower("run-2");
    const moved = { ...span(2, 1), revision: 1, executionId: "run-2" };
    const back = { ...span(2, 1), revision: 2 };
    for (const batch of [[span(1), span(2, 1)], [moved], [back], [{ ...moved, revision: 3 }]]) {
      await store.write(batch);
      expected.add(batch);
      const answers = await old.catchUp(store);
      await other.catchUp(store);
      old.check(expected);
      other.check(expected);
      const removed = answers.flatMap((changes) => changes.removed);
      const left = batch[0]?.executionId === "run-2";
      equal(removed, left ? [{ traceId: TRACE, spanId: spanIdOf(2) }] : [], "removed from run-1");
    }
  });

  test("an execution that lost its last span tells its followers, and is gone for everyone else", async (opened) => {
    const store = opened.forScope("scope");
    await store.write([span(1)]);
    const { seq } = present(await store.changesSince("run-1", 0), "the feed");
    await store.write([{ ...span(1), revision: 1, executionId: "run-2" }]);
    const changes = present(await store.changesSince("run-1", seq), "the feed of a vanished execution");
    equal(changes.removed, [{ traceId: TRACE, spanId: spanIdOf(1) }], "removed");
    equal(
      [changes.spans, changes.more, changes.execution.spanCount],
      [[], false, 0],
      "the rest of the answer",
    );
    ok(changes.seq > seq, "seq grew");
    equal(await store.getExecution("run-1"), undefined, "getExecution");
    equal((await store.changesSince("run-1", 0))?.spans ?? [], [], "the feed from 0");
    await store.write([{ ...span(1), revision: 2 }]);
    const again = present(await store.changesSince("run-1", changes.seq), "the feed of a returned execution");
    equal([again.spans.length, again.removed], [1, []], "the span that came back");
  });

  test("sums that another execution of the same trace changed give a new seq", async (opened) => {
    const store = opened.forScope("scope");
    await store.write([root("run-1", 1, { traceId: TRACE, usage: { input: 9 } })]);
    const before = present(await store.changesSince("run-1", 0), "the feed");
    equal(before.execution.usage.input, 9, "tokens before");
    await store.write([call(2, 1, 100, { executionId: "run-2" })]);
    const after = present(await store.changesSince("run-1", before.seq), "the feed");
    equal(after.execution.usage.items, 0, "counted items after");
    ok(after.seq > before.seq, `seq stayed ${after.seq}`);
  });

  test("what is not there has no feed; a seq or limit that is none is refused", async (opened) => {
    const store = opened.forScope("scope");
    equal(await store.changesSince("run-1", 0), undefined, "the feed of nothing");
    await store.write([span(1)]);
    for (const seq of [-1, 1.5, Number.NaN]) {
      await rejects(() => store.changesSince("run-1", seq), "invalid_argument", `seq ${seq}`);
    }
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      await rejects(() => store.changesSince("run-1", 0, { limit }), "invalid_argument", `limit ${limit}`);
    }
  });

  const watching = needs("watch");

  watching("watch wakes after a commit to its execution, until it is stopped", async (opened) => {
    const store = opened.forScope("scope");
    const watch = present(store.watch, "watch").bind(store);
    let strangers = 0;
    const stopStranger = watch("run-2", () => strangers++);
    let stopped = 0;
    const stop = watch("run-1", () => stopped++);
    stop();
    stop();
    for (const batch of [[span(1)], [span(2, 1)]]) {
      const woken = new Promise<void>((wake) => {
        const end = watch("run-1", () => {
          end();
          wake();
        });
      });
      await store.write(batch);
      await within(woken, "watch did not wake within 10 s of a commit");
    }
    equal([strangers, stopped], [0, 0], "wakes of a stranger and of a stopped watcher");
    stopStranger();
  });

  watching("a watcher that throws harms neither the write nor other watchers", async (opened) => {
    const store = opened.forScope("scope");
    const watch = present(store.watch, "watch").bind(store);
    const stops = [
      watch("run-1", () => {
        throw new Error("the watcher's own");
      }),
    ];
    const woken = new Promise<void>((wake) => {
      stops.push(watch("run-1", wake));
    });
    equal((await store.write([span(1)])).written, 1, "written");
    await within(woken, "the other watcher was not woken within 10 s");
    for (const stop of stops) stop();
  });
}
