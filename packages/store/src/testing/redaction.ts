import type { RedactRule, RedactSelection, SpanRecord } from "@spanloom/model";
import { jsonContent, textContent } from "@spanloom/model/fixtures";
import { equal, holds, ok, present, rejects, within } from "./assert.ts";
import { checkExecution, Expected, Follower, withoutSeq } from "./expected.ts";
import type { Chapter, TestedStore } from "./harness.ts";
import { checkSums } from "./old-runs.ts";
import { at, call, root, span, spanIdOf, TRACE, traceIdOf } from "./spans.ts";

const SECRET = "a secret that nobody else would write";

/** Taking out what is already stored. */
export function redaction({ needs }: Chapter): void {
  const test = needs("administration");

  test("what the rule changes is changed in every answer, one revision higher; the rest stays", async (opened) => {
    const store = opened.forScope("scope");
    const records = withSecrets("run-1", 1);
    await store.write(records);
    const before = present(await store.getExecution("run-1"), "the execution");
    equal(await store.redact?.(withoutSecret), { executions: 1, spans: 2 }, "the report");
    const expected = new Expected();
    expected.add(records.map(redacted));
    const after = present(await checkExecution(store, expected, "run-1"), "the execution");
    equal(withoutSeq(after), withoutSeq(before), "sums, which the rule did not change");
    ok(after.seq > before.seq, "seq grew");
    equal(
      (await store.getTrace("run-1"))?.spans.map((one) => one.revision),
      [0, 1, 1],
      "revisions",
    );
    for (const text of [SECRET, "secret"]) {
      equal((await store.searchSpans("run-1", { text }))?.items, [], `the matches of "${text}"`);
    }
    equal(await store.redact?.(withoutSecret), { executions: 1, spans: 0 }, "the same again");
    equal((await store.getExecution("run-1"))?.seq, after.seq, "seq after nothing was changed");
    equal((await store.recompute?.())?.corrected, [], "recompute");
  });

  test("a late copy of the old state does not come back", async (opened) => {
    const store = opened.forScope("scope");
    const records = withSecrets("run-1", 1);
    await store.write(records);
    await store.redact?.(withoutSecret);
    const { endTime, ...running } = records[1] as SpanRecord;
    const late = await store.write([...records, running]);
    equal(late, { written: 0, unchanged: 4, rejected: [] }, "the receipt of late copies");
    equal(await store.getSpan("run-1", spanIdOf(2)), redacted(records[1] as SpanRecord), "the span");
  });

  test("those who follow see the change", async (opened) => {
    const store = opened.forScope("scope");
    const records = withSecrets("run-1", 1);
    await store.write(records);
    const follower = new Follower("run-1");
    await follower.catchUp(store);
    await store.redact?.((record) => ({ ...record, name: "redacted" }), { executionIds: ["run-1"] });
    const [changes] = await follower.catchUp(store);
    equal(
      changes?.spans.map((one) => one.name),
      ["redacted", "redacted", "redacted"],
      "changed spans",
    );
    const expected = new Expected();
    expected.add(records.map((record) => ({ ...record, name: "redacted", revision: 1 })));
    follower.check(expected);
  });

  needs("administration", "watch")("watchers are woken", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(withSecrets("run-1", 1));
    const woken = new Promise<void>((wake) => {
      const stop = store.watch?.("run-1", () => {
        stop?.();
        wake();
      });
    });
    await store.redact?.(withoutSecret);
    await within(woken, "watch did not wake within 10 s of a redaction");
  });

  test("sums follow where the rule changes what they are made of", async (opened) => {
    const store = opened.forScope("scope");
    const records = [...withSecrets("run-1", 1), ...withSecrets("run-2", 50)];
    await store.write(records);
    const rule: RedactRule = ({ usage, cost, model, ...record }) =>
      record.kind === "llm"
        ? { ...record, usage: { output: 3 }, workflowName: "redacted" }
        : { ...record, model };
    const changed = (record: SpanRecord): SpanRecord =>
      record.kind === "llm" ? { ...rule(record), revision: record.revision + 1 } : record;
    const expected = new Expected();
    expected.add(records.map(changed));
    equal(await store.redact?.(rule), { executions: 2, spans: 2 }, "the report");
    for (const id of ["run-1", "run-2"]) await checkExecution(store, expected, id);
    await checkSums(store, expected, { days: 1, timeZone: "UTC", lastDay: "2026-11-20" });
    equal((await store.recompute?.())?.corrected, [], "recompute");
  });

  test("only the executions asked for are touched", async (opened) => {
    const store = opened.forScope("scope");
    const ids = [1, 50, 100, 150].map((first) => `run-${first}`);
    for (const id of ids) await store.write(withSecrets(id, Number(id.slice(4))));
    const left = async (): Promise<number[]> => {
      const counts: number[] = [];
      for (const id of ids) counts.push((await store.searchSpans(id, { text: SECRET }))?.items.length ?? -1);
      return counts;
    };
    const cases: [RedactSelection, executions: number, left: number[]][] = [
      [{ executionIds: [] }, 0, [2, 2, 2, 2]],
      [{ executionIds: ["run-9", "run-"] }, 0, [2, 2, 2, 2]],
      [{ from: at(150.5) }, 0, [2, 2, 2, 2]],
      [{ executionIds: ["run-1"], from: at(50) }, 0, [2, 2, 2, 2]],
      [{ executionIds: ["run-50", "run-50", "run-9"] }, 1, [2, 0, 2, 2]],
      [{ to: at(50) }, 1, [0, 0, 2, 2]],
      [{ from: at(100), to: at(150) }, 1, [0, 0, 0, 2]],
    ];
    for (const [selection, executions, wanted] of cases) {
      const what = JSON.stringify(selection);
      equal((await store.redact?.(withoutSecret, selection))?.executions, executions, `looked at: ${what}`);
      equal(await left(), wanted, `spans with a secret after ${what}`);
    }
  });

  test("an execution of many pages is redacted whole", async (opened) => {
    const store = opened.forScope("scope");
    const spans = Array.from({ length: 1_203 }, (_, index) =>
      span(index + 1, index === 0 ? undefined : 1, { output: textContent(SECRET) }),
    );
    await store.write(spans);
    equal(await store.redact?.(withoutSecret), { executions: 1, spans: 1_203 }, "the report");
    equal((await store.searchSpans("run-1", { text: SECRET, limit: 1 }))?.items, [], "matches");
    equal((await store.getExecution("run-1"))?.spanCount, 1_203, "spans");
  });

  test("spans that were named late keep their execution", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const records = [
      span(2, 1, { executionId: TRACE, output: textContent(SECRET) }),
      root("run-1", 1, { traceId: TRACE }),
    ];
    await store.write(records);
    await store.redact?.(withoutSecret);
    expected.add(records.map((record) => redacted({ ...record, executionId: "run-1" })));
    await checkExecution(store, expected, "run-1");
    equal(await store.getExecution(TRACE), undefined, "the execution of the trace's id");
  });

  test("a rule that throws or changes what it may not is refused, and changes nothing there", async (opened) => {
    const store = opened.forScope("scope");
    const record = root("run-1", 1, { output: textContent(SECRET) });
    await store.write([record]);
    const bad: [name: string, rule: unknown][] = [
      ["no function", "redact"],
      [
        "a rule that throws",
        () => {
          throw new Error("the rule's own");
        },
      ],
      ["nothing", () => undefined],
      ["a promise", async () => record],
      ["no record", () => ({ ...record, kind: "banana" })],
      ["another trace", () => ({ ...record, traceId: traceIdOf(2) })],
      ["another span", () => ({ ...record, spanId: spanIdOf(2) })],
      ["another execution", () => ({ ...record, executionId: "run-2" })],
      ["another revision", () => ({ ...record, revision: 7 })],
      ["a span that runs again", ({ endTime, ...rest }: SpanRecord) => rest],
    ];
    for (const [name, rule] of bad) {
      const redact = present(store.redact, "redact").bind(store);
      await rejects(() => redact(rule as RedactRule), "invalid_argument", name);
      equal(await store.getSpan("run-1", record.spanId), record, `the span after ${name}`);
    }
    equal((await store.listExecutions()).items.length, 1, "executions");
  });

  test("a selection that is none is refused", async (opened) => {
    const redact = (selection: unknown): unknown => {
      const store: TestedStore = opened.forScope("scope");
      return present(store.redact, "redact").call(store, withoutSecret, selection as RedactSelection);
    };
    const ids = Array.from({ length: 501 }, (_, index) => `run-${index}`);
    await rejects(() => redact({ executionIds: ids }), "limit_exceeded", "501 ids");
    for (const selection of [{ from: "yesterday" }, { to: 7 }, { executionIds: "run-1" }]) {
      await rejects(() => redact(selection), "invalid_argument", JSON.stringify(selection));
    }
  });

  needs("administration", "durable")("what was taken out is out after a reopen", async (opened) => {
    const records = withSecrets("run-1", 1);
    await opened.forScope("scope").write(records);
    await opened.forScope("scope").redact?.(withoutSecret);
    await present(opened.reopen, "reopen of the harness").call(opened);
    const store = opened.forScope("scope");
    const expected = new Expected();
    expected.add(records.map(redacted));
    await checkExecution(store, expected, "run-1");
    equal((await store.write(records)).written, 0, "late copies");
  });

  needs("administration", "erasure")("no byte of what was taken out or deleted is kept", async (opened) => {
    const store = opened.forScope("scope");
    const other = "something else that goes";
    await store.write([...withSecrets("run-1", 1), root("run-2", 60, { input: textContent(other) })]);
    const bytesOf = present(opened.bytesOf, "bytesOf of the harness").bind(opened);
    const before = await bytesOf();
    ok(holds(before, SECRET) && holds(before, other), "bytesOf of the harness does not show what is stored");
    await store.redact?.(withoutSecret);
    ok(!holds(await bytesOf(), SECRET), "what was redacted is still in the bytes");
    await store.deleteExecution?.("run-2");
    ok(!holds(await bytesOf(), other), "what was deleted is still in the bytes");
    equal((await store.getExecution("run-1"))?.spanCount, 3, "spans that are left");
  });

  for (const how of ["redact", "deleteExecution", "prune"] as const) {
    needs("administration", "erasure")(
      `${how} reaches what was named late, and older states elsewhere`,
      async (opened) => {
        const store = opened.forScope("scope");
        const output = textContent(SECRET);
        const unnamed = span(2, 1, { executionId: TRACE, output });
        await store.write([unnamed]);
        await store.write([{ ...unnamed, name: "again", revision: 1 }]);
        // Another execution had it first.
        await store.write([
          span(3, 1, { executionId: "run-2", output }),
          span(4, 1, { executionId: "run-2" }),
        ]);
        await store.write([span(3, 1, { revision: 1 }), root("run-1", 1, { traceId: TRACE })]);
        const bytesOf = present(opened.bytesOf, "bytesOf of the harness").bind(opened);
        ok(holds(await bytesOf(), SECRET), "bytesOf of the harness does not show what is stored");
        if (how === "redact") await store.redact?.(withoutSecret);
        else if (how === "prune") await store.prune?.({ before: at(1_000) });
        else for (const id of ["run-2", "run-1"]) await store.deleteExecution?.(id);
        ok(!holds(await bytesOf(), SECRET), "what was taken out is still in the bytes");
      },
    );
  }
}

/** Three spans, two of them with the secret. */
function withSecrets(executionId: string, first: number): SpanRecord[] {
  const own = { executionId, traceId: traceIdOf(first) };
  return [
    root(executionId, first, { ...own, endTime: at(first + 9) }),
    call(first + 1, first, 30, { ...own, output: textContent(`It is ${SECRET}.`), nodeId: "n" }),
    span(first + 2, first, { ...own, input: jsonContent({ kept: 1, key: [SECRET] }) }),
  ];
}

function withoutSecret(record: SpanRecord): SpanRecord {
  return JSON.parse(JSON.stringify(record).replaceAll(SECRET, "[gone]"));
}

/** What is stored of a record after {@link withoutSecret}. */
function redacted(record: SpanRecord): SpanRecord {
  const changed = withoutSecret(record);
  return JSON.stringify(changed) === JSON.stringify(record)
    ? record
    : { ...changed, revision: record.revision + 1 };
}
