import type { TokenUsage } from "@spanloom/model";

/** Input tokens by what they are billed as, and output tokens. */
export interface BilledTokens {
  uncached: number;
  cachedInput: number;
  cacheWrite: number;
  output: number;
}

/**
 * `undefined` where input or output is unknown: half a price would pass for a whole one. Embeddings have no output.
 * The convention counts cached tokens into the input; figures that cannot be (more cached than input) come from
 * instrumentations that count them beside it, as Anthropic's API does, and are read so.
 */
export function billedTokens(usage: TokenUsage, hasOutput: boolean): BilledTokens | undefined {
  const { input, cachedInput = 0, cacheWrite = 0 } = usage;
  const output = usage.output ?? (hasOutput ? undefined : 0);
  if (input === undefined || output === undefined) return undefined;
  const beside = cachedInput + cacheWrite > input;
  return { uncached: beside ? input : input - cachedInput - cacheWrite, cachedInput, cacheWrite, output };
}
