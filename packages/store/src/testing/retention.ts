import type { SpanRecord } from "@spanloom/model";
import { textContent } from "@spanloom/model/fixtures";
import { equal, holds, ok, present, rejects } from "./assert.ts";
import { checkExecution, Expected, Follower } from "./expected.ts";
import type { Chapter, TestedStore } from "./harness.ts";
import { checkSums, oldComponents, own, pruneAll, run, sumsOf } from "./old-runs.ts";
import { randomHistory } from "./random-history.ts";
import { at, call, root, span, traceIdOf } from "./spans.ts";

const COSTS = { days: 3, timeZone: "UTC", lastDay: "2026-11-21" } as const;

/** What retention removes, what it leaves, and what it refuses afterwards. */
export function retention({ needs, histories }: Chapter): void {
  const test = needs("administration");

  test("what was last active before goes, from every answer; what came after stays", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const old = [...run("run-old", 100), ...run("run-edge", 190)];
    const recent = run("run-recent", 300);
    await store.write([...old, ...recent]);
    expected.add([...old, ...recent]);
    // The last span of run-edge ends at second 200: that is not before second 200.
    equal(await pruneAll(store, { before: at(200) }), { executions: 1, spans: 3 }, "what was removed");
    expected.prune(["run-old"]);
    await seesNothing(store, "run-old", run("run-old", 100));
    for (const id of ["run-edge", "run-recent"]) await checkExecution(store, expected, id);
    equal(
      (await store.listExecutions()).items.map((item) => item.executionId),
      ["run-recent", "run-edge"],
      "what is left",
    );
    equal(await pruneAll(store, { before: at(200) }), { executions: 0, spans: 0 }, "the same again");
    equal(await pruneAll(store, { before: "0" }), { executions: 0, spans: 0 }, "from the beginning of time");
  });

  test("what never ended is judged by its latest start; one active span keeps all", async (opened) => {
    const store = opened.forScope("scope");
    const open = run("run-open", 100).map(({ endTime, ...record }) => record);
    const late = [
      ...run("run-late", 100, 500),
      span(400, 101, { ...own("run-late", 500), endTime: undefined }),
    ];
    const long = [root("run-long", 50, { ...own("run-long", 50), endTime: at(999) })];
    await store.write([...open, ...late, ...long]);
    equal(await pruneAll(store, { before: at(102) }), { executions: 0, spans: 0 }, "before its last start");
    equal(await pruneAll(store, { before: at(200) }), { executions: 1, spans: 3 }, "after its last start");
    const left = (await store.listExecutions()).items.map((item) => item.executionId).sort();
    equal(left, ["run-late", "run-long"], "what is left");
    equal((await store.getExecution("run-late"))?.spanCount, 4, "spans of the one with a late span");
  });

  test("executions that share a trace leave together, also through others, or not at all", async (opened) => {
    const store = opened.forScope("scope");
    const chain = [
      ...run("run-a", 100),
      span(120, 100, { ...own("run-b", 100), kind: "agent" }),
      span(121, undefined, own("run-b", 121)),
      span(122, 121, own("run-c", 121)),
      span(300, undefined, own("run-c", 300)),
    ];
    await store.write([...chain, ...run("run-alone", 100, 700)]);
    equal(await pruneAll(store, { before: at(200) }), { executions: 1, spans: 3 }, "before the last of them");
    equal((await store.listExecutions()).items.length, 3, "executions that hold together");
    equal(await pruneAll(store, { before: at(302) }), { executions: 3, spans: 7 }, "after the last of them");
    equal((await store.listExecutions()).items, [], "what is left");
  });

  test("sums over time stay, and are the same after recompute", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const records = [...run("run-old", 100), ...run("run-other", 150), ...run("run-recent", 90_000)];
    await store.write(records);
    expected.add(records);
    const before = await sumsOf(store, COSTS);
    await pruneAll(store, { before: at(1_000) });
    equal(await sumsOf(store, COSTS), before, "sums after pruning");
    const { corrected } = present(await store.recompute?.(), "recompute");
    equal(corrected, [], "what recompute corrected");
    equal(await sumsOf(store, COSTS), before, "sums after recompute");
    expected.prune(["run-old", "run-other"]);
    const more = [...run("run-new", 90_100), call(90_190, 90_000, 40, own("run-recent", 90_000))];
    await store.write(more);
    expected.add(more);
    await checkSums(store, expected, COSTS);
    equal(await store.deleteExecution?.("run-recent"), true, "deleting what is left of a day");
    await pruneAll(store, { before: at(200_000) });
    const left = new Expected();
    left.add([...run("run-old", 100), ...run("run-other", 150), ...run("run-new", 90_100)]);
    await checkSums(store, left, COSTS);
    equal((await store.recompute?.())?.corrected, [], "what recompute corrected at the end");
  });

  test("random histories: what stays and every sum is the reference's", async (opened) => {
    for (let seed = 1; seed <= Math.min(6, histories); seed++) {
      const store = opened.forScope(`scope-${seed}`);
      const expected = new Expected();
      const { batches } = randomHistory(seed + 300);
      for (const batch of batches) await store.write(batch);
      expected.add(batches.flat());
      const query = { days: 14, timeZone: "Europe/Prague", lastDay: "2026-04-06" };
      const ends = expected.spans().map((one) => one.endTime ?? one.startTime);
      const before =
        ends.sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))[Math.floor(ends.length / 2)] ?? "0";
      await checkSums(store, expected, query);
      const gone = oldComponents(expected.spans(), before);
      const report = await pruneAll(store, { before, limit: 1 });
      equal(report.executions, gone.length, `executions removed from history ${seed}`);
      expected.prune(gone);
      for (const id of expected.executionIds()) await checkExecution(store, expected, id);
      const listed = (await store.listExecutions({ limit: 500 })).items.map((item) => item.executionId);
      equal(listed.sort(), expected.executionIds().sort(), "executions that are left");
      await checkSums(store, expected, query);
      equal((await store.recompute?.())?.corrected, [], `what recompute corrected in history ${seed}`);
      await checkSums(store, expected, query);
    }
  });

  test("spans that come late for what was removed are refused by name; others are stored", async (opened) => {
    const store = opened.forScope("scope");
    const old = run("run-old", 100);
    await store.write([...old, ...run("run-recent", 300)]);
    await pruneAll(store, { before: at(200) });
    const batch = [
      old[1] as SpanRecord,
      span(160, 100, { ...own("run-old", 100), endTime: undefined }),
      span(161, undefined, { traceId: traceIdOf(161), executionId: traceIdOf(161) }),
      span(162, 300, own("run-recent", 300)),
      span(163, 300, { traceId: traceIdOf(300), executionId: traceIdOf(300) }),
      root("run-long", 164, { endTime: at(400) }),
      root("run-new", 301),
    ];
    const receipt = await store.write(batch);
    equal(
      receipt.rejected.map(({ index, code }) => [index, code]),
      [0, 1, 2].map((index) => [index, "past_retention"]),
      "refused records",
    );
    ok(
      receipt.rejected.every((one) => one.message !== ""),
      "a refusal without a message",
    );
    equal(receipt.written, 4, "written records");
    equal(await store.getExecution("run-old"), undefined, "the removed execution");
    equal((await store.getExecution("run-recent"))?.spanCount, 5, "spans of the one that old spans joined");
    equal((await store.write(old)).written, 0, "all of it written again");
  });

  test("the line holds where it was drawn furthest, and no other scope's", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(run("run-1", 100));
    await pruneAll(store, { before: at(200) });
    await pruneAll(store, { before: at(50) });
    const late = await store.write([root("run-2", 150)]);
    equal(
      late.rejected.map((one) => one.code),
      ["past_retention"],
      "a record between the two lines",
    );
    equal((await store.write([root("run-3", 199)])).written, 1, "a record that ends at the line");
    equal((await opened.forScope("other").write([root("run-2", 150)])).written, 1, "the other scope's");
  });

  test("an execution that was removed and comes back is a new one", async (opened) => {
    const store = opened.forScope("scope");
    const follower = new Follower("run-1");
    await store.write(run("run-1", 100));
    await follower.catchUp(store);
    await pruneAll(store, { before: at(200) });
    equal(await store.changesSince("run-1", follower.seq), undefined, "the feed of what was removed");
    const expected = new Expected();
    const again = [root("run-1", 300, own("run-1", 300)), call(301, 300, 9, own("run-1", 300))];
    equal((await store.write(again)).written, 2, "written records");
    expected.add(again);
    await checkExecution(store, expected, "run-1");
    const fresh = new Follower("run-1");
    await fresh.catchUp(store);
    fresh.check(expected);
    equal((await store.recompute?.())?.corrected, [], "what recompute corrected");
  });

  test("a step removes about as many executions as asked for, and says whether more wait", async (opened) => {
    const store = opened.forScope("scope");
    const ids = Array.from({ length: 23 }, (_, index) => `run-${index}`);
    await store.write(ids.map((id, index) => root(id, index + 1)));
    await store.write([root("run-recent", 500)]);
    let removed = 0;
    for (let step = 0; ; step++) {
      const report = present(await store.prune?.({ before: at(100), limit: 5 }), "the report");
      ok(report.executions <= 5, `a step of 5 removed ${report.executions} executions`);
      ok(report.executions > 0 || !report.more, "a step removed nothing and says that more wait");
      removed += report.executions;
      if (!report.more) break;
      ok(step < 30, "the steps do not end");
    }
    equal([removed, (await store.listExecutions()).items.length], [23, 1], "removed and left");
    for (const limit of [0, -1, 1.5, 10_001]) {
      const bad = { before: at(1), limit };
      await rejects(
        () => present(store.prune, "prune").call(store, bad),
        "invalid_argument",
        `limit ${limit}`,
      );
    }
    const bad = { before: "yesterday" };
    await rejects(() => present(store.prune, "prune").call(store, bad), "invalid_argument", "no time");
  });

  test("sums are dropped by whole days where that is asked for", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const dayLater = 86_400;
    const records = [...run("run-first", 100), ...run("run-second", dayLater + 100)];
    await store.write(records);
    await pruneAll(store, { before: at(2 * dayLater) });
    expected.add(records);
    await checkSums(store, expected, COSTS);
    // In the middle of the second day: only the first one ended before.
    await pruneAll(store, { before: at(2 * dayLater), sumsBefore: at(dayLater) });
    const second = new Expected();
    second.add(run("run-second", dayLater + 100));
    await checkSums(store, second, COSTS);
    equal((await store.recompute?.())?.corrected, [], "what recompute corrected");
    await checkSums(store, second, COSTS);
    await pruneAll(store, { before: at(2 * dayLater), sumsBefore: at(2 * dayLater) });
    await checkSums(store, new Expected(), COSTS);
  });

  needs("administration", "inProcess")("the store prunes all its scopes together", async (opened) => {
    for (const scope of ["a", "A", "b"]) {
      await opened.forScope(scope).write([...run("run-old", 100), ...run(`run-of-${scope}`, 300)]);
    }
    const report = await pruneAll(opened, { before: at(200), limit: 2 });
    equal(report, { executions: 3, spans: 9 }, "what was removed");
    for (const scope of ["a", "A", "b"]) {
      const store = opened.forScope(scope);
      const left = (await store.listExecutions()).items.map((item) => item.executionId);
      equal(left, [`run-of-${scope}`], `what is left in ${scope}`);
      const late = await store.write(run("run-old", 100));
      equal(late.rejected.length, 3, `late spans in ${scope}`);
    }
  });

  needs("administration", "durable")("what was removed stays so after a reopen", async (opened) => {
    const records = [...run("run-old", 100), ...run("run-recent", 300)];
    await opened.forScope("scope").write(records);
    await pruneAll(opened.forScope("scope"), { before: at(200) });
    await present(opened.reopen, "reopen of the harness").call(opened);
    const store = opened.forScope("scope");
    const expected = new Expected();
    expected.add(records);
    expected.prune(["run-old"]);
    await checkSums(store, expected, COSTS);
    await checkExecution(store, expected, "run-recent");
    equal((await store.write(run("run-old", 100))).rejected.length, 3, "late spans");
    equal((await store.recompute?.())?.corrected, [], "what recompute corrected");
    await checkSums(store, expected, COSTS);
  });

  needs("administration", "erasure")("no byte of what was removed is kept", async (opened) => {
    const store = opened.forScope("scope");
    const secret = "a sentence that nobody else would write";
    await store.write([root("run-old", 1, { output: textContent(secret), name: "peculiar name" })]);
    await store.write(run("run-recent", 300));
    const bytesOf = present(opened.bytesOf, "bytesOf of the harness").bind(opened);
    ok(holds(await bytesOf(), secret), "bytesOf of the harness does not show what is stored");
    await pruneAll(store, { before: at(200) });
    const bytes = await bytesOf();
    for (const text of [secret, "peculiar name"]) ok(!holds(bytes, text), `"${text}" is still in the bytes`);
  });
}

async function seesNothing(store: TestedStore, id: string, records: readonly SpanRecord[]): Promise<void> {
  equal(await store.getExecution(id), undefined, "getExecution");
  equal(await store.getExecutions([id]), [], "getExecutions");
  equal(await store.getTrace(id), undefined, "getTrace");
  equal(await store.changesSince(id, 0), undefined, "changesSince");
  equal(await store.changesSince(id, 1), undefined, "changesSince of one who followed it");
  equal(await store.getRunMetrics(id), undefined, "getRunMetrics");
  equal(await store.searchSpans(id, { text: "span" }), undefined, "searchSpans");
  for (const { spanId } of records) equal(await store.getSpan(id, spanId), undefined, `getSpan ${spanId}`);
}
