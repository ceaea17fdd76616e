import { equal, ok, present } from "./assert.ts";
import { checkExecution, Expected } from "./expected.ts";
import type { Chapter } from "./harness.ts";
import { readMatches } from "./search.ts";
import { at, root, span, spanIdOf } from "./spans.ts";

/** Ids that a host may really have, and that careless code takes for something else. */
const HOSTILE_IDS = [
  // What a program calls its own.
  ...[
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "null",
    "undefined",
    "-1",
    "0",
    "NaN",
    "[object Object]",
  ],
  // What file systems call theirs: paths, devices, hidden and temporary files, ends that Windows drops.
  ...[
    "../../etc/passwd",
    "..\\windows",
    "/etc/passwd",
    "C:\\boot.ini",
    "\\\\host\\share",
    "a/../b",
    "./a",
    "a/.",
    "...",
  ],
  ...[
    "con",
    "CON",
    "nul.txt",
    "COM1",
    "lpt9",
    "aux.jsonl",
    ".hidden",
    "~",
    "~/x",
    "a.",
    "a..",
    " a",
    "a ",
    " ",
  ],
  ...[
    "file:///etc/passwd",
    "a\u0000b",
    "a\u0000c",
    "a\u0000",
    "a:stream",
    "spans",
    "executions",
    "*.jsonl",
    "a.jsonl",
  ],
  // What addresses, patterns, queries, templates and logs are made of.
  ...[
    "a/b?c=d#e",
    "%2e%2e%2f",
    "%2F",
    "%00",
    "%",
    "_",
    "*",
    "?",
    "'; DROP TABLE span; --",
    '" OR ""="',
    "$1",
    "{0}",
  ],
  ...[
    "%{jndi:ldap://x}",
    "$(reboot)",
    "`reboot`",
    "line\nbreak",
    "a\r\nSet-Cookie: b",
    "a\tb",
    "a,b;c|d",
    "\\N",
    "<b>&amp;",
  ],
  // Letters: case, normal forms, look-alikes, directions, sizes.
  ...[
    "run-a",
    "run-A",
    "RUN-A",
    "Run",
    "run",
    "é",
    "e\u0301",
    "ﬁ",
    "fi",
    "ß",
    "ss",
    "İ",
    "i\u0307",
    "ı",
    "K",
    "\u212a",
  ],
  ...["日本語", "👩‍👩‍👧‍👦", "👩‍👩‍👧", "👍", "👍🏽", "\u202etxt.exe", "a\u200bb", "ab", "\ufeffa", "a"],
  ...["x".repeat(200), `${"x".repeat(199)}y`, "日".repeat(200), `${"日".repeat(199)}本`, "👍".repeat(100)],
];

/** Ids and scopes stay what they are and apart from each other, whatever they look like. */
export function hostileIds({ test, needs }: Chapter): void {
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
      equal((await readMatches(store, id, { text: id, places: ["name"] })).length, 2, "searchSpans");
    }
    equal(
      (await store.getExecutions(HOSTILE_IDS)).map((item) => item.executionId),
      HOSTILE_IDS,
      "getExecutions",
    );
    const query = { days: 1, timeZone: "UTC", lastDay: "2026-11-20" } as const;
    for (const groupBy of ["workflow", "model"] as const) {
      const asked = { ...query, groupBy };
      equal(await store.getDailyCosts(asked), expected.dailyCosts(asked), `costs by ${groupBy}`);
      equal(await store.getAnalytics(asked), expected.analytics(asked), `analytics by ${groupBy}`);
    }
    const byType = { ...query, groupBy: "nodeType" } as const;
    equal(await store.getAnalytics(byType), expected.analytics(byType), "analytics by node type");
    equal(Object.keys(Object.prototype), [], "the prototype of all objects");
  });

  test("hostile ids may be filters, too", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const records = HOSTILE_IDS.map((id, index) =>
      root(`run-${index}`, index + 1, { workflowId: id, usage: { input: 1 } }),
    );
    await store.write(records);
    expected.add(records);
    for (const workflowId of HOSTILE_IDS) {
      const query = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", workflowId };
      equal(
        await store.getDailyCosts(query),
        expected.dailyCosts(query),
        `costs of ${JSON.stringify(workflowId)}`,
      );
      equal(
        await store.getAnalytics(query),
        expected.analytics(query),
        `analytics of ${JSON.stringify(workflowId)}`,
      );
    }
  });

  test("what is only like an id finds nothing", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(["run-a", "é", "a"].map((id, index) => root(id, index + 1)));
    for (const id of [
      "run-A",
      "RUN-A",
      "run-a ",
      "run-a.",
      "run-",
      "run-%",
      "e\u0301",
      "a\u0000",
      "A",
      "./a",
      "a/",
    ]) {
      equal(await store.getExecution(id), undefined, `getExecution ${JSON.stringify(id)}`);
      equal(await store.getExecutions([id]), [], `getExecutions ${JSON.stringify(id)}`);
      equal(await store.changesSince(id, 0), undefined, `changesSince ${JSON.stringify(id)}`);
      equal(await store.getSpan(id, spanIdOf(1)), undefined, `getSpan ${JSON.stringify(id)}`);
    }
  });

  needs("inProcess")("hostile ids may be scopes, each apart from the others", async (opened) => {
    for (const [index, scope] of HOSTILE_IDS.entries()) {
      await opened.forScope(scope).write([root("shared", 1, { name: scope, startTime: at(index) })]);
    }
    for (const scope of HOSTILE_IDS) {
      const store = opened.forScope(scope);
      const shown = JSON.stringify(scope).slice(0, 40);
      equal((await store.getSpan("shared", spanIdOf(1)))?.name, scope, `the span in scope ${shown}`);
      equal((await store.listExecutions()).items.length, 1, `executions in scope ${shown}`);
    }
  });

  needs("durable")("ids and scopes are the same after a reopen", async (opened) => {
    const some = HOSTILE_IDS.filter((_, index) => index % 3 === 0);
    for (const id of some) await opened.forScope(id).write([root(id, 1, { workflowId: id })]);
    await present(opened.reopen, "reopen of the harness").call(opened);
    for (const id of some) {
      const ids = (await opened.forScope(id).listExecutions()).items.map((item) => item.executionId);
      equal(ids, [id], `executions of the scope ${JSON.stringify(id).slice(0, 40)}`);
    }
  });

  needs("administration")("each is deleted alone", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(HOSTILE_IDS.map((id, index) => root(id, index + 1)));
    const left = new Set(HOSTILE_IDS);
    for (const id of HOSTILE_IDS.filter((_, index) => index % 5 === 0)) {
      equal(await store.deleteExecution?.(id), true, `deleting ${JSON.stringify(id).slice(0, 40)}`);
      left.delete(id);
    }
    const listed = (await store.listExecutions({ limit: 500 })).items.map((item) => item.executionId);
    equal(listed.sort(), [...left].sort(), "what is left");
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

  test("ids that no host can have are no executions, and no error", async (opened) => {
    const store = opened.forScope("scope");
    await store.write([root("run-1", 1)]);
    for (const id of ["", ".", "..", "x".repeat(5_000), "\ud800"]) {
      const shown = JSON.stringify(id).slice(0, 20);
      equal(await store.getExecution(id), undefined, `getExecution ${shown}`);
      equal(await store.getExecutions([id]), [], `getExecutions ${shown}`);
    }
    ok(await store.getExecution("run-1"), "the execution that is there");
  });
}
