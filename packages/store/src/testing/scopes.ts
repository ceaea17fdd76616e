import { equal, ok, present, rejects } from "./assert.ts";
import { checkExecution, Expected } from "./expected.ts";
import type { Chapter, TestedStore } from "./harness.ts";
import { at, call, root, span, spanIdOf, TRACE } from "./spans.ts";

/** Names that a careless key, path, query or comparison would take for another or for an instruction. */
const HOSTILE_SCOPES = [
  "a",
  "A",
  "a ",
  " a",
  "a\u0000",
  "a\u0000b",
  "a/b",
  "a:b",
  "../a",
  "a%",
  "%",
  "_",
  "*",
  "a' OR '1'='1",
  '"; DROP TABLE span; --',
  "__proto__",
  "constructor",
  "é",
  "e\u0301",
  "日本語",
  "👩‍👩‍👧‍👦",
  "0",
  "null",
  "undefined",
  "x".repeat(200),
  `${"x".repeat(199)}y`,
];

/** Nothing answers across scopes. */
export function scopes({ test, needs }: Chapter): void {
  const ours = [root("run-1", 1, { traceId: TRACE }), call(2, 1, 10, { nodeId: "n" })];
  const theirs = [root("run-1", 1, { traceId: TRACE, workflowId: "theirs" }), span(3, 1), call(4, 1, 99)];

  test("the same ids in two scopes are two executions, in every answer", async (opened) => {
    const mine = { store: opened.forScope("mine"), expected: new Expected(), records: ours };
    const other = { store: opened.forScope("other"), expected: new Expected(), records: theirs };
    for (const { store, expected, records } of [mine, other, mine]) {
      await store.write(records);
      expected.add(records);
    }
    for (const { store, expected } of [mine, other]) {
      await checkExecution(store, expected, "run-1", 1);
      const query = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "workflow" } as const;
      equal(await store.getDailyCosts(query), expected.dailyCosts(query), "getDailyCosts");
      equal(await store.getAnalytics(query), expected.analytics(query), "getAnalytics");
      equal((await store.changesSince("run-1", 0))?.spans.length, expected.spans().length, "changesSince");
      const matches = (await store.searchSpans("run-1", { text: "span" }))?.items;
      equal(matches, expected.search("run-1", { text: "span" }), "searchSpans");
      equal((await store.listExecutions()).items.length, 1, "listExecutions");
    }
  });

  test("an empty scope sees nothing of another, by any method", async (opened) => {
    await opened
      .forScope("mine")
      .write([...ours, span(9, undefined, { executionId: TRACE, traceId: TRACE })]);
    const page = present(await opened.forScope("mine").getTrace("run-1", { limit: 1 }), "the page");
    const search = { text: "span", limit: 1 };
    const matches = present(await opened.forScope("mine").searchSpans("run-1", search), "the matches");
    await seesNothing(opened.forScope("other"), page.nextCursor, matches.nextCursor);
  });

  test("names and parents of one scope do not reach into another", async (opened) => {
    const mine = opened.forScope("mine");
    const other = opened.forScope("other");
    await mine.write([span(2, 1, { executionId: TRACE, usage: { input: 7 } })]);
    await other.write([root("run-1", 1, { traceId: TRACE, usage: { input: 9 } }), call(3, 2, 5)]);
    equal(
      (await mine.listExecutions()).items.map((item) => item.executionId),
      [TRACE],
      "my execution",
    );
    equal((await mine.getExecution(TRACE))?.usage.input, 7, "my tokens");
    equal(
      (await other.getExecution("run-1"))?.usage.input,
      14,
      "their tokens: the parent between is not theirs",
    );
  });

  test("scopes with names like each other's or like code are apart", async (opened) => {
    for (const [index, scope] of HOSTILE_SCOPES.entries()) {
      await opened
        .forScope(scope)
        .write([root(`run-${index}`, index + 1), root("shared", 99, { name: scope })]);
    }
    for (const [index, scope] of HOSTILE_SCOPES.entries()) {
      const store = opened.forScope(scope);
      const ids = (await store.listExecutions()).items.map((item) => item.executionId).sort();
      equal(ids, [`run-${index}`, "shared"].sort(), `executions of scope ${JSON.stringify(scope)}`);
      equal((await store.getSpan("shared", spanIdOf(99)))?.name, scope, "the shared execution's span");
    }
    equal(Object.hasOwn(Object.prototype, "run-1"), false, "the prototype of all objects");
  });

  needs("watch")("a commit in one scope does not wake watchers of another", async (opened) => {
    let woken = 0;
    const stop = opened.forScope("other").watch?.("run-1", () => woken++);
    const mine = opened.forScope("mine");
    const own = new Promise<void>((wake) => {
      const end = mine.watch?.("run-1", () => {
        end?.();
        wake();
      });
    });
    await mine.write(ours);
    await own;
    equal(woken, 0, "wakes in the other scope");
    stop?.();
  });

  needs("administration")("deletion and recomputation stay in their scope", async (opened) => {
    const mine = opened.forScope("mine");
    const other = opened.forScope("other");
    await mine.write(ours);
    equal(await other.deleteExecution?.("run-1"), false, "deleting what only another scope has");
    equal(await other.recompute?.(), { executions: 0, corrected: [] }, "recompute of an empty scope");
    await other.write(ours);
    const before = await other.getExecution("run-1");
    equal(await mine.deleteExecution?.("run-1"), true, "deleting my own");
    equal(await other.getExecution("run-1"), before, "theirs after my deletion");
    equal((await other.write([span(7, 1)])).written, 1, "a late span in the other scope");
  });

  needs("administration")("retention and redaction stay in their scope", async (opened) => {
    const mine = opened.forScope("mine");
    const other = opened.forScope("other");
    for (const store of [mine, other]) await store.write(ours);
    const read = async (): Promise<unknown[]> => [
      await other.getExecution("run-1"),
      await other.getTrace("run-1", { view: "full" }),
      await other.getAnalytics({ days: 1, timeZone: "UTC", lastDay: "2026-11-20" }),
    ];
    const before = await read();
    const redacted = await mine.redact?.((record) => ({ ...record, name: "redacted" }));
    equal(redacted, { executions: 1, spans: ours.length }, "what I redacted");
    equal(await read(), before, "theirs after my redaction");
    const all = { before: at(1_000), sumsBefore: at(200_000) };
    equal((await mine.prune?.(all))?.executions, 1, "what I pruned");
    equal(await read(), before, "theirs after my retention");
    equal((await other.write([span(7, 1)])).written, 1, "an old span in the other scope");
  });

  const owned = needs("inProcess");

  owned("a scope that is none is refused at once", async (opened) => {
    for (const scope of ["", "x".repeat(201), "\ud800"]) {
      await rejects(
        () => opened.forScope(scope),
        "invalid_argument",
        `scope ${JSON.stringify(scope).slice(0, 20)}`,
      );
    }
  });

  owned("a handle knows its scope and is cheap to ask for again", async (opened) => {
    await opened.forScope("mine").write(ours);
    ok(await opened.forScope("mine").getExecution("run-1"), "the second handle sees what the first wrote");
  });
}

async function seesNothing(
  store: TestedStore,
  cursor: string | undefined,
  matchesCursor: string | undefined,
): Promise<void> {
  const matches = { text: "span", ...(matchesCursor && { cursor: matchesCursor }) };
  equal(await store.searchSpans("run-1", { text: "span" }), undefined, "searchSpans");
  equal(await store.searchSpans("run-1", matches), undefined, "searchSpans with a cursor");
  const analytics = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "workflow" } as const;
  const { total, groups } = await store.getAnalytics(analytics);
  equal([total.executions?.total, total.usage.items, groups], [0, 0, []], "getAnalytics");
  equal((await store.listExecutions()).items, [], "listExecutions");
  equal(await store.getExecutions(["run-1", TRACE]), [], "getExecutions");
  equal(await store.getExecution("run-1"), undefined, "getExecution");
  equal(await store.getTrace("run-1"), undefined, "getTrace");
  equal(await store.getTrace("run-1", { ...(cursor && { cursor }) }), undefined, "getTrace with a cursor");
  equal(await store.getTrace("run-1", { view: "full" }), undefined, "getTrace, full");
  equal(await store.getSpan("run-1", spanIdOf(2)), undefined, "getSpan");
  equal(await store.getSpan("run-1", spanIdOf(2), TRACE), undefined, "getSpan in its trace");
  equal(await store.changesSince("run-1", 0), undefined, "changesSince");
  equal(await store.getRunMetrics("run-1"), undefined, "getRunMetrics");
  const [day] = (await store.getDailyCosts({ days: 1, timeZone: "UTC", lastDay: "2026-11-20" })).days;
  equal([day?.cost.priced, day?.usage.items], [0, 0], "getDailyCosts");
}
