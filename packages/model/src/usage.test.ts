import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addUsage, emptyUsageSum, hasTokens, mergeUsageSums, type TokenUsage, totalTokens } from "./usage.ts";

const count = fc.nat({ max: 1_000_000 });
const usage: fc.Arbitrary<TokenUsage> = fc.record(
  { input: count, output: count, cachedInput: count, cacheWrite: count, reasoning: count, total: count },
  { requiredKeys: [] },
);

describe("sums of usage", () => {
  it("are the same however the items are grouped and ordered", () => {
    fc.assert(
      fc.property(fc.array(usage), fc.nat(), (items, cut) => {
        const at = cut % (items.length + 1);
        const merged = sumOf(items.slice(at).reverse());
        mergeUsageSums(merged, sumOf(items.slice(0, at)));
        expect(merged).toEqual(sumOf(items));
      }),
    );
  });

  it("leave unknown fields absent and say how many items knew a field", () => {
    const sum = sumOf([{ input: 5, output: 2 }, { input: 0 }, { total: 9 }]);
    expect(sum).toEqual({
      items: 3,
      input: 5,
      output: 2,
      total: 16,
      known: { input: 2, output: 1, cachedInput: 0, cacheWrite: 0, reasoning: 0, total: 2 },
    });
    expect(sum).not.toHaveProperty("reasoning");
  });
});

describe("totalTokens", () => {
  it("is what was reported, else input and output, else unknown", () => {
    expect(totalTokens({ input: 1, output: 2, total: 9 })).toBe(9);
    expect(totalTokens({ input: 1, output: 2, reasoning: 2, cachedInput: 1 })).toBe(3);
    expect(totalTokens({ input: 1 })).toBeUndefined();
    expect(totalTokens({})).toBeUndefined();
  });
});

describe("hasTokens", () => {
  it("takes a known 0 for known, and a mere mark for nothing", () => {
    expect(hasTokens({ reasoning: 0 })).toBe(true);
    expect(hasTokens({ subtotal: true })).toBe(false);
    expect(hasTokens(undefined)).toBe(false);
  });
});

function sumOf(items: TokenUsage[]) {
  const sum = emptyUsageSum();
  for (const item of items) addUsage(sum, item);
  return sum;
}
