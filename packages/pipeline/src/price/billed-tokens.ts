import type { Cost, TokenUsage } from "@spanloom/model";

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

/** USD per million tokens. */
export interface TokenPrices {
  inputPerMTok: number;
  outputPerMTok: number;
  cachedInputPerMTok: number;
  cacheWritePerMTok: number;
}

/** What the tokens cost. One USD per million tokens is 1,000 nano-USD a token. The whole is rounded once. */
export function costAt(tokens: BilledTokens, prices: TokenPrices): Pick<Cost, "nanoUsd" | "parts"> {
  const input = tokens.uncached * prices.inputPerMTok * 1e3;
  const output = tokens.output * prices.outputPerMTok * 1e3;
  const cachedInput = tokens.cachedInput * prices.cachedInputPerMTok * 1e3;
  const cacheWrite = tokens.cacheWrite * prices.cacheWritePerMTok * 1e3;
  return {
    nanoUsd: Math.round(input + output + cachedInput + cacheWrite),
    parts: {
      input: Math.round(input),
      output: Math.round(output),
      ...(tokens.cachedInput > 0 && { cachedInput: Math.round(cachedInput) }),
      ...(tokens.cacheWrite > 0 && { cacheWrite: Math.round(cacheWrite) }),
    },
  };
}
