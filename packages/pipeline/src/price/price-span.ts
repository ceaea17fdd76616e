import { type Cost, canonicalJson, hasTokens, type SpanRecord, type TokenUsage } from "@spanloom/model";
import { withProblem } from "../withhold.ts";
import { billedTokens } from "./billed-tokens.ts";
import { overrideCost, type PriceOverrides, readOverrides } from "./overrides.ts";
import { loadPriceTable, type PriceTable } from "./price-table.ts";

export interface PricingOptions {
  /** The host's own prices; they win over the provider's reported cost and over the built-in table. */
  overrides?: PriceOverrides;
  /** Names the host's price list on each cost that it gives, as `host@<version>`. Change it whenever a price changes. */
  version?: string;
}

/** The price stage. */
export interface Pricer {
  price(record: SpanRecord): SpanRecord;
  /** The same, also where a computed cost or an override stands already: by today's table and overrides. */
  reprice(record: SpanRecord): SpanRecord;
  /** Resolves when the table has been loaded or has failed to; reading it starts the load. */
  readonly ready: Promise<void>;
  readonly loaded: boolean;
}

/**
 * Prices spans that have usage and a model. An override wins over a reported cost, that over a computed one; a cost
 * that stands already stays. A model that nobody knows has no cost: unknown is not free.
 */
export function createPricer(options: PricingOptions = {}): Pricer {
  const overrides = readOverrides(options.overrides ?? {});
  const version = options.version ?? "1";
  let table: PriceTable | undefined;
  let loading: Promise<void> | undefined;
  const load = (): Promise<void> => {
    loading ??= loadPriceTable().then(
      (loaded) => {
        table = loaded;
      },
      // Without a table spans stay unpriced, and every sum says how many are.
      () => undefined,
    );
    return loading;
  };

  const costOf = (
    { provider, kind, startTime }: SpanRecord,
    cost: Cost | undefined,
    usage: TokenUsage,
    model: string,
  ): Cost | undefined => {
    const own = overrides.size === 0 ? undefined : overrides.get(`${provider ?? ""}/${model}`);
    if (cost !== undefined && (own === undefined || cost.source === "override")) return cost;
    const hasOutput = kind !== "embedding" && own?.outputPerMTok !== 0;
    const tokens = billedTokens(usage, hasOutput);
    if (tokens === undefined) return cost;
    if (own !== undefined) return overrideCost(tokens, own, version);
    if (table !== undefined) return table(model, provider, tokens, startTime);
    void load();
    return undefined;
  };

  const priced = (record: SpanRecord, standing: Cost | undefined): SpanRecord => {
    const { usage, model } = record;
    if (model === undefined || !hasTokens(usage)) return record;
    try {
      const cost = costOf(record, standing, usage, model);
      return cost === undefined || sameCost(cost, record.cost) ? record : { ...record, cost };
    } catch {
      return withProblem(record, "price");
    }
  };

  return {
    price: (record) => priced(record, record.cost),
    reprice: (record) => priced(record, record.cost?.source === "reported" ? record.cost : undefined),
    get ready() {
      return load();
    },
    get loaded() {
      return table !== undefined;
    },
  };
}

function sameCost(one: Cost, other: Cost | undefined): boolean {
  return one === other || (other !== undefined && canonicalJson(one) === canonicalJson(other));
}
