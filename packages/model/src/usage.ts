/** Tokens that one model call used. Each count is a whole number >= 0, or absent when it is not known: absent is never 0. */
export interface TokenUsage {
  /** Prompt tokens, cached ones included (`gen_ai.usage.input_tokens`). */
  input?: number;
  /** Completion tokens, reasoning included (`gen_ai.usage.output_tokens`). */
  output?: number;
  /** Part of `input` that a provider's cache answered (`gen_ai.usage.cache_read.input_tokens`). */
  cachedInput?: number;
  /** Part of `input` that was written to a provider's cache (`gen_ai.usage.cache_write.input_tokens`). */
  cacheWrite?: number;
  /** Part of `output` spent on reasoning (`gen_ai.usage.reasoning.output_tokens`). */
  reasoning?: number;
  /** As reported; {@link totalTokens} adds input and output where it is absent. */
  total?: number;
  /** The figure repeats what children used, traced or not. Shown as such; it counts by the same rule as any other. */
  subtotal?: true;
}

export const TOKEN_FIELDS = ["input", "output", "cachedInput", "cacheWrite", "reasoning", "total"] as const;
export type TokenField = (typeof TOKEN_FIELDS)[number];

/** Sums of token counts. A field is absent when none of the counted items knew it; `known` says how many did. */
export interface UsageSum extends Partial<Record<TokenField, number>> {
  /** How many items (spans) count in this sum. */
  items: number;
  /** For each field, how many of the items knew it. Where it is below `items`, the sum is a lower bound. */
  known: Record<TokenField, number>;
}

/** Reported total, else input + output, else unknown. */
export function totalTokens(usage: TokenUsage): number | undefined {
  if (usage.total !== undefined) return usage.total;
  return usage.input !== undefined && usage.output !== undefined ? usage.input + usage.output : undefined;
}

/** True when at least one count is known, even as 0. */
export function hasTokens(usage: TokenUsage | undefined): usage is TokenUsage {
  return usage !== undefined && TOKEN_FIELDS.some((field) => usage[field] !== undefined);
}

export function emptyUsageSum(): UsageSum {
  return { items: 0, known: { input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0, total: 0 } };
}

/** Adds one item to `sum`, in place. `total` is filled from input + output where the item reports none. */
export function addUsage(sum: UsageSum, usage: TokenUsage): void {
  sum.items++;
  for (const field of TOKEN_FIELDS) {
    const value = field === "total" ? totalTokens(usage) : usage[field];
    if (value === undefined) continue;
    sum[field] = (sum[field] ?? 0) + value;
    sum.known[field]++;
  }
}

/** Adds `other` to `sum`, in place. */
export function mergeUsageSums(sum: UsageSum, other: UsageSum): void {
  sum.items += other.items;
  for (const field of TOKEN_FIELDS) {
    const value = other[field];
    if (value !== undefined) sum[field] = (sum[field] ?? 0) + value;
    sum.known[field] += other.known[field];
  }
}
