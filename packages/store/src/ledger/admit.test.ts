import type { SpanRecord } from "@spanloom/model";
import { hostileTraces, makeSpan, makeTrace } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { admit } from "./admit.ts";

test("a copy is what JSON makes of the record, and shares nothing with it", () => {
  const attributes = JSON.parse('{"__proto__":{"a":1},"zero":0,"list":[1,null,[{"b":"c"}]]}');
  // Fixtures share their constant parts, and all of this is changed below.
  const own = (span: Partial<SpanRecord>): SpanRecord => structuredClone(makeSpan(span));
  const given = [
    ...structuredClone(makeTrace({ spans: 300, seed: 3 })),
    ...structuredClone(hostileTraces().flatMap(({ spans }) => spans)),
    own({ attributes: { ...attributes, minus: -0 }, endTime: undefined }),
    Object.assign(Object.create({ inherited: 1 }), own({ name: "of a class" })) as SpanRecord,
    { ...own({}), [Symbol("unseen")]: { a: 1 } } as SpanRecord,
    { ...own({}), resource: { attributes: {}, toJSON: () => ({ attributes: { said: "so" } }) } },
  ];
  const { records, rejected } = admit(given);
  expect(rejected).toEqual([]);
  const were = given.map((one) => JSON.stringify(one));
  expect(records.map(({ json }) => json)).toEqual(were);
  expect(records.map(({ record }) => record)).toEqual(were.map((was) => JSON.parse(was)));
  for (const one of given) shake(one);
  expect(records.map(({ record }) => JSON.stringify(record))).toEqual(were);
});

test("what JSON cannot hold is refused where it stands, also when the copy would hide it", () => {
  const bad: unknown[] = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1n,
    new Map([["a", 1]]),
    new Date(),
    () => 1,
    Symbol("a"),
  ];
  const given = bad.flatMap((value) => [
    makeSpan({ attributes: { value } as SpanRecord["attributes"] }),
    makeSpan({ attributes: { value: [value] } as SpanRecord["attributes"] }),
  ]);
  given.push(
    makeSpan({ attributes: { value: { member: undefined } } as unknown as SpanRecord["attributes"] }),
  );
  given.push(makeSpan({ attributes: { value: [undefined] } as unknown as SpanRecord["attributes"] }));
  const { records, rejected } = admit([...given, makeSpan({})]);
  expect(records.map(({ index }) => index)).toEqual([given.length]);
  expect(rejected.map(({ index, code }) => [index, code])).toEqual(
    given.map((_, index) => [index, "invalid_record"]),
  );
});

test("a record that reads differently the second time is not seen half and half", () => {
  let reads = 0;
  const changing = Object.defineProperty(makeSpan({}), "executionId", {
    enumerable: true,
    get: () => (reads++ === 0 ? "first" : ""),
  });
  const vanishing = { ...makeSpan({}), toJSON: () => null };
  const lying = { ...makeSpan({}), status: { code: "ok", toJSON: () => ({ code: "no status" }) } };
  const throwing = Object.defineProperty(makeSpan({}), "name", {
    enumerable: true,
    get: () => {
      throw new Error("no");
    },
  });
  const { records, rejected } = admit([changing, vanishing, lying, throwing]);
  expect(records.map(({ record }) => record.executionId)).toEqual(["first"]);
  expect(rejected.map(({ index }) => index)).toEqual([1, 2, 3]);
});

/** Changes everything in a value that can be changed. */
function shake(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) {
    const members = value as Record<string, unknown>;
    shake(members[key]);
    if (key !== "__proto__") members[key] = "shaken";
  }
}
