import { type Cost, SpanloomError } from "@spanloom/model";
import { type BilledTokens, costAt } from "./billed-tokens.ts";

/** The host's own price of a model, in USD per million tokens. */
export interface PriceOverride {
  inputPerMTok: number;
  outputPerMTok: number;
  /** Price of input tokens that a provider's cache answered; `inputPerMTok` where absent. */
  cachedInputPerMTok?: number;
  /** Price of input tokens that were written to a provider's cache; `inputPerMTok` where absent. */
  cacheWritePerMTok?: number;
}

/** By `provider/model`, as the span carries them. */
export type PriceOverrides = Readonly<Record<string, PriceOverride>>;

/** The table, checked. Throws `invalid_argument` where a price is no finite number >= 0. */
export function readOverrides(overrides: PriceOverrides): ReadonlyMap<string, PriceOverride> {
  for (const [model, prices] of Object.entries(overrides)) {
    for (const name of [
      "inputPerMTok",
      "outputPerMTok",
      "cachedInputPerMTok",
      "cacheWritePerMTok",
    ] as const) {
      const price: unknown = prices[name];
      if (typeof price === "number" && Number.isFinite(price) && price >= 0) continue;
      if (price === undefined && name.startsWith("cache")) continue;
      throw new SpanloomError("invalid_argument", {
        what: `The price override "${model}" has no usable ${name}.`,
        why: "Prices are USD per million tokens: finite numbers, not negative.",
        fix: 'Write it like { "openai/gpt-4o": { inputPerMTok: 2.5, outputPerMTok: 10 } }.',
      });
    }
  }
  return new Map(Object.entries(overrides));
}

/** The cost under the host's prices. */
export function overrideCost(tokens: BilledTokens, prices: PriceOverride, version: string): Cost {
  const { inputPerMTok, outputPerMTok } = prices;
  const { cachedInputPerMTok = inputPerMTok, cacheWritePerMTok = inputPerMTok } = prices;
  const cost = costAt(tokens, { inputPerMTok, outputPerMTok, cachedInputPerMTok, cacheWritePerMTok });
  return { ...cost, source: "override", priceVersion: `host@${version}` };
}
