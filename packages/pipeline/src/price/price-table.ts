import type { calcPrice as CalcPrice, ModelInfo, PriceCalculation, Provider } from "@pydantic/genai-prices";
import { type Cost, millisOf, nanoUsdFromUsd, type UnixNanos } from "@spanloom/model";
import { type BilledTokens, costAt, type TokenPrices } from "./billed-tokens.ts";

/** The table's name and version, stamped on each cost that it gave, so that history does not move with the next one. */
export const PRICE_VERSION = "genai-prices@0.1.8";

/** The cost of the tokens as of a time; `undefined` for a model that the table does not know. */
export type PriceTable = (
  model: string,
  provider: string | undefined,
  tokens: BilledTokens,
  time: UnixNanos,
) => Cost | undefined;

const MAX_MODELS = 1_000;

/** Loads the table, some 800 KB of code: only when a span needs it. */
export async function loadPriceTable(): Promise<PriceTable> {
  const { calcPrice } = await import("@pydantic/genai-prices");
  return createTable(calcPrice);
}

function createTable(calcPrice: typeof CalcPrice): PriceTable {
  // Finding a model among all takes longer than pricing it. Kept as a provider of this one model; null: not known.
  const found = new Map<string, Provider | null>();

  const find = (model: string, providerId: string | undefined): Provider | null => {
    const key = `${providerId ?? ""}\n${model}`;
    const known = found.get(key);
    if (known !== undefined) return known;
    const ids = providerId?.includes("_") ? [providerId, providerId.replaceAll("_", "-")] : [providerId];
    let hit: PriceCalculation | null = null;
    for (const id of ids)
      hit ??= calcPrice({ input_tokens: 0 }, model, id === undefined ? {} : { providerId: id });
    const provider = hit && { ...hit.provider, models: [hit.model] };
    if (found.size >= MAX_MODELS) found.clear();
    found.set(key, provider);
    return provider;
  };

  return (model, providerId, tokens, time) => {
    const provider = find(model, providerId);
    if (provider === null) return undefined;
    const flat = flatPrices(provider.models[0]?.prices);
    if (flat !== undefined)
      return { ...costAt(tokens, flat), source: "computed", priceVersion: PRICE_VERSION };
    const options = { provider, timestamp: new Date(millisOf(time)) };
    const { uncached, cachedInput, cacheWrite, output } = tokens;
    const usage = { input_tokens: uncached + cachedInput + cacheWrite, output_tokens: output };
    const priceOf = (read: number, write: number) =>
      calcPrice({ ...usage, cache_read_tokens: read, cache_write_tokens: write }, model, options);
    const whole = priceOf(cachedInput, cacheWrite);
    if (whole === null) return undefined;
    return {
      nanoUsd: nanoUsdFromUsd(whole.total_price),
      source: "computed",
      priceVersion: PRICE_VERSION,
      parts: { output: nanoUsdFromUsd(whole.output_price), ...inputParts(tokens, whole, priceOf) },
    };
  };
}

/** Prices that depend on neither time nor size, as most do: no need to ask the library for a product. */
function flatPrices(prices: ModelInfo["prices"] | undefined): TokenPrices | undefined {
  if (prices === undefined || Array.isArray(prices) || prices.requests_kcount !== undefined) return undefined;
  const { input_mtok, output_mtok, cache_read_mtok, cache_write_mtok } = prices;
  if (typeof input_mtok !== "number" || typeof output_mtok !== "number") return undefined;
  if (typeof cache_read_mtok === "object" || typeof cache_write_mtok === "object") return undefined;
  return {
    inputPerMTok: input_mtok,
    outputPerMTok: output_mtok,
    cachedInputPerMTok: cache_read_mtok ?? input_mtok,
    cacheWritePerMTok: cache_write_mtok ?? input_mtok,
  };
}

/** The table gives one figure for all input; its parts follow from pricing the same input with less of it cached. */
function inputParts(
  tokens: BilledTokens,
  whole: PriceCalculation,
  priceOf: (read: number, write: number) => PriceCalculation | null,
): Cost["parts"] {
  const { uncached, cachedInput, cacheWrite } = tokens;
  const inputTokens = uncached + cachedInput + cacheWrite;
  if (cachedInput + cacheWrite === 0) return { input: nanoUsdFromUsd(whole.input_price) };
  const plain = (priceOf(0, 0)?.input_price ?? 0) / inputTokens;
  const withWrites = priceOf(0, cacheWrite)?.input_price ?? 0;
  const input = nanoUsdFromUsd(plain * uncached);
  const written = cacheWrite === 0 ? 0 : nanoUsdFromUsd(withWrites - plain * (inputTokens - cacheWrite));
  return {
    input,
    ...(cachedInput > 0 && { cachedInput: Math.max(0, nanoUsdFromUsd(whole.input_price) - input - written) }),
    ...(cacheWrite > 0 && { cacheWrite: Math.max(0, written) }),
  };
}
