import type { SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { createMemoryStore } from "../adapters/memory.ts";

test("a record that reads differently the second time is refused, and costs no other", async () => {
  let reads = 0;
  const changing = Object.defineProperty(makeSpan({}), "executionId", {
    enumerable: true,
    get: () => (reads++ === 0 ? "first" : ""),
  });
  const vanishing = { ...makeSpan({}), toJSON: () => null };
  const lying = { ...makeSpan({}), status: { code: "ok", toJSON: () => ({ code: "no status" }) } };
  const whole = makeSpan({ executionId: "whole", spanId: "00000000000000ab" });
  const store = createMemoryStore().forScope("scope");
  const receipt = await store.write([changing, vanishing, lying as SpanRecord, whole]);
  expect(receipt).toMatchObject({ written: 1, unchanged: 0 });
  expect(receipt.rejected.map(({ index, code }) => [index, code])).toEqual([
    [0, "invalid_record"],
    [1, "invalid_record"],
    [2, "invalid_record"],
  ]);
  const { items } = await store.listExecutions();
  expect(items.map(({ executionId }) => executionId)).toEqual(["whole"]);
});
