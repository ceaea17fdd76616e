import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addCost, emptyCostSum, mergeCostSums, nanoUsdFromUsd, usdFromNanoUsd } from "./cost.ts";

const item = fc.option(fc.nat({ max: 1_000_000_000 }), { nil: undefined });

describe("sums of cost", () => {
  it("are exact and the same however the items are grouped and ordered", () => {
    fc.assert(
      fc.property(fc.array(item), fc.nat(), (items, cut) => {
        const at = cut % (items.length + 1);
        const merged = sumOf(items.slice(at).reverse());
        mergeCostSums(merged, sumOf(items.slice(0, at)));
        expect(merged).toEqual(sumOf(items));
        expect(merged.priced + merged.unpriced).toBe(items.length);
      }),
    );
  });

  it("do not drift as sums of dollars do", () => {
    const sum = sumOf(Array.from({ length: 10 }, () => nanoUsdFromUsd(0.1)));
    expect(usdFromNanoUsd(sum.nanoUsd ?? 0)).toBe(1);
  });

  it("stay unknown while nothing is priced, and know a free item", () => {
    expect(sumOf([undefined])).toEqual({ priced: 0, unpriced: 1 });
    expect(sumOf([0, undefined])).toEqual({ nanoUsd: 0, priced: 1, unpriced: 1 });
  });
});

describe("USD", () => {
  it("gives every whole nano-USD back, up to two million USD", () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat().map((nano) => nano % 2e15),
        (nano) => {
          expect(nanoUsdFromUsd(usdFromNanoUsd(nano))).toBe(nano);
        },
      ),
    );
  });
});

function sumOf(items: (number | undefined)[]) {
  const sum = emptyCostSum();
  for (const nanoUsd of items) addCost(sum, nanoUsd);
  return sum;
}
