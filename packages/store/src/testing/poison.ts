import type { RejectedSpan, SpanRecord } from "@spanloom/model";
import { equal, ok } from "./assert.ts";
import { checkExecution, Expected } from "./expected.ts";
import type { Chapter } from "./harness.ts";
import { FULL, type Poison, poisonRecords, unspeakableRecords } from "./poison-records.ts";
import { root, span, TRACE } from "./spans.ts";

/** Records that can never be stored: each is named, and the rest of its write is stored. */
export function poison({ test, needs, figure }: Chapter): void {
  const poisons = poisonRecords();
  figure("kinds of poison records", poisons.length);

  test("the record of which each poison is a copy is sound", async (opened) => {
    const store = opened.forScope("scope");
    equal(await store.write([FULL]), { written: 1, unchanged: 0, rejected: [] }, "the receipt");
    equal(await store.getSpan("run-1", FULL.spanId), FULL, "the record");
  });

  test("poison among good records is named, and the rest of the write is stored", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const good = [root("run-1", 1, { traceId: TRACE }), ...poisons.map((_, index) => span(index + 1_000, 1))];
    const batch = good.flatMap((record, index): unknown[] =>
      [poisons[index - 1]?.record, record].slice(index > 0 ? 0 : 1),
    );
    const receipt = await store.write(batch as SpanRecord[]);
    expected.add(good);
    equal([receipt.written, receipt.unchanged], [good.length, 0], "written and unchanged");
    checkRefusals(
      receipt.rejected,
      poisons.map((one, index) => ({ ...one, index: 1 + 2 * index })),
    );
    await checkExecution(store, expected, "run-1");
  });

  test("poison alone harms nothing that is stored", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const stored = [{ ...FULL, name: "stored" }];
    await store.write(stored);
    expected.add(stored);
    const { seq } = (await store.getExecutions(["run-1"]))[0] ?? {};
    for (const one of poisons.filter((_, index) => index % 9 === 0)) {
      const receipt = await store.write([one.record as SpanRecord]);
      equal([receipt.written, receipt.unchanged], [0, 0], `the receipt: ${one.name}`);
      checkRefusals(receipt.rejected, [{ ...one, index: 0 }]);
    }
    const everything = await store.write(poisons.map((one) => one.record as SpanRecord));
    equal(everything.rejected.length, poisons.length, "refused records of a write of nothing else");
    const after = await checkExecution(store, expected, "run-1");
    equal(after?.seq, seq, "seq");
    equal((await store.listExecutions()).items.length, 1, "executions");
  });

  needs("inProcess")("so is what JSON cannot hold", async (opened) => {
    const store = opened.forScope("scope");
    const bad = unspeakableRecords();
    const batch = bad.flatMap((one, index): unknown[] => [span(index + 1), one.record]);
    const receipt = await store.write([...batch, span(500)] as SpanRecord[]);
    equal(receipt.written, bad.length + 1, "written records");
    checkRefusals(
      receipt.rejected,
      bad.map((one, index) => ({ ...one, index: 1 + 2 * index })),
    );
    equal((await store.getExecution("run-1"))?.spanCount, bad.length + 1, "stored spans");
  });
}

function checkRefusals(
  rejected: readonly RejectedSpan[],
  wanted: readonly (Poison & { index: number })[],
): void {
  const places = new Set(rejected.map((one) => one.index));
  for (const { name, index } of wanted) ok(places.has(index), `accepted, or not named: ${name}`);
  equal(
    rejected.map((one) => one.index),
    wanted.map((one) => one.index),
    "places of the refused, in their order",
  );
  for (const [at, { code, message }] of rejected.entries()) {
    const { name, field } = wanted[at] as Poison;
    equal(code, "invalid_record", `the code for ${name}`);
    ok(message !== "" && message.length < 500, `no short message for ${name}: ${message.slice(0, 600)}`);
    ok(
      field === undefined || message.includes(field),
      `the message for ${name} does not name it: ${message}`,
    );
  }
}
