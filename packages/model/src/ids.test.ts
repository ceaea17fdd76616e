import { describe, expect, it } from "vitest";
import { isSpanId, isTraceId, newExecutionId, newSpanId, newTraceId, traceIdToUuid } from "./ids.ts";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("ids", () => {
  it("of traces are UUIDv4 without dashes, and give their UUID back", () => {
    for (let round = 0; round < 200; round++) {
      const id = newTraceId();
      expect(isTraceId(id)).toBe(true);
      expect(traceIdToUuid(id)).toMatch(UUID_V4);
      expect(traceIdToUuid(id).replaceAll("-", "")).toBe(id);
    }
  });

  it("of spans are 16 hex digits, and do not repeat", () => {
    const ids = Array.from({ length: 2_000 }, newSpanId);
    expect(ids.every(isSpanId)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("of executions are UUIDv4", () => {
    expect(newExecutionId()).toMatch(UUID_V4);
  });

  it("accept ids of others, whatever their version bits", () => {
    expect(isTraceId("f".repeat(32))).toBe(true);
    expect(isSpanId("0000000000000001")).toBe(true);
  });

  it.each([
    "",
    "0".repeat(32),
    "F".repeat(32),
    "f".repeat(31),
    "f".repeat(33),
    `${"f".repeat(32)}\n`,
    "g".repeat(32),
    7,
  ])("%j is no trace id", (value) => expect(isTraceId(value)).toBe(false));

  it.each(["", "0".repeat(16), "F".repeat(16), "f".repeat(15), "f".repeat(17), undefined])(
    "%j is no span id",
    (value) => expect(isSpanId(value)).toBe(false),
  );
});
