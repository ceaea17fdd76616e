import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { calcPrice } from "@pydantic/genai-prices";
import { nanosFromMillis, type SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { beforeAll, describe, expect, test } from "vitest";
import { createPricer, type PricingOptions } from "./price-span.ts";
import { PRICE_VERSION } from "./price-table.ts";

const pricer = createPricer();
beforeAll(() => pricer.ready);

const START = Date.parse("2026-01-15T12:00:00Z");

function llm(fields: Partial<SpanRecord>): SpanRecord {
  return makeSpan({ kind: "llm", startTime: nanosFromMillis(START), ...fields });
}

function costOf(fields: Partial<SpanRecord>) {
  return pricer.price(llm(fields)).cost;
}

describe("the built-in table", () => {
  test("known prices, in whole nano-USD with parts", () => {
    // 2.50 and 10 USD per million tokens.
    expect(costOf({ provider: "openai", model: "gpt-4o", usage: { input: 1000, output: 100 } })).toEqual({
      nanoUsd: 3_500_000,
      source: "computed",
      priceVersion: PRICE_VERSION,
      parts: { input: 2_500_000, output: 1_000_000 },
    });
    // 3 and 15, cached 0.30, written 3.75.
    const usage = { input: 1000, output: 10, cachedInput: 200, cacheWrite: 100 };
    expect(costOf({ provider: "anthropic", model: "claude-sonnet-4-5", usage })).toMatchObject({
      nanoUsd: 2_685_000,
      parts: { input: 2_100_000, cachedInput: 60_000, cacheWrite: 375_000, output: 150_000 },
    });
  });

  test("its version is the one that is installed", () => {
    const entry = createRequire(import.meta.url).resolve("@pydantic/genai-prices");
    const { version } = JSON.parse(readFileSync(join(dirname(entry), "../package.json"), "utf8"));
    expect(PRICE_VERSION).toBe(`genai-prices@${version}`);
  });

  test.each([
    ["openai", "gpt-4o-mini"],
    ["openai.chat", "gpt-4o"],
    ["azure.ai.openai", "gpt-4o"],
    ["anthropic", "claude-3-5-sonnet-20241022"],
    ["gcp.gemini", "gemini-2.5-pro"],
    ["aws.bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0"],
    ["mistral_ai", "mistral-large-latest"],
    ["perplexity", "sonar"],
    ["cohere", "command-r"],
    [undefined, "gpt-4o"],
  ])("as the library itself says: %s %s", (provider, model) => {
    for (const [input, output] of [
      [1, 1],
      [1234, 567],
      [250_000, 3],
    ] as const) {
      const cached = Math.floor(input / 3);
      const options = { timestamp: new Date(START), ...(provider !== undefined && { providerId: provider }) };
      const expected =
        calcPrice({ input_tokens: input, output_tokens: output, cache_read_tokens: cached }, model, options)
          ?.total_price ?? Number.NaN;
      const cost = costOf({
        ...(provider !== undefined && { provider }),
        model,
        usage: { input, output, cachedInput: cached },
      });
      expect(cost?.nanoUsd).toBe(Math.round(expected * 1e9));
    }
  });

  test("a provider that the library spells with a dash", () => {
    expect(costOf({ provider: "x_ai", model: "grok-4", usage: { input: 1000, output: 0 } })?.nanoUsd).toBe(
      3_000_000,
    );
  });

  test("the price of the day when the span started", () => {
    const o3 = (day: string) =>
      costOf({
        provider: "openai",
        model: "o3",
        usage: { input: 1000, output: 0 },
        startTime: nanosFromMillis(Date.parse(day)),
      });
    expect(o3("2025-06-01")?.nanoUsd).toBe(10_000_000);
    expect(o3("2025-07-01")?.nanoUsd).toBe(2_000_000);
  });

  test("reasoning tokens are part of the output", () => {
    const usage = { input: 10, output: 100 };
    const fields = { provider: "openai", model: "gpt-4o" };
    expect(costOf({ ...fields, usage: { ...usage, reasoning: 90 } })).toEqual(costOf({ ...fields, usage }));
  });

  test("more cached tokens than input: they were counted beside it", () => {
    const fields = { provider: "anthropic", model: "claude-sonnet-4-5" };
    expect(costOf({ ...fields, usage: { input: 100, output: 0, cachedInput: 1000 } })).toMatchObject({
      nanoUsd: 600_000,
      parts: { input: 300_000, cachedInput: 300_000 },
    });
  });

  test.each([
    [
      "a model that nobody knows",
      { model: "nobody-knows", provider: "openai", usage: { input: 1, output: 1 } },
    ],
    ["no model", { usage: { input: 1, output: 1 } }],
    ["no usage", { model: "gpt-4o", provider: "openai" }],
    ["usage without counts", { model: "gpt-4o", provider: "openai", usage: {} }],
    ["only a total", { model: "gpt-4o", provider: "openai", usage: { total: 5 } }],
    ["an output that nobody counted", { model: "gpt-4o", provider: "openai", usage: { input: 5 } }],
  ] satisfies [string, Partial<SpanRecord>][])("%s has no cost, and not 0", (_name, fields) => {
    const record = llm(fields);
    expect(pricer.price(record)).toBe(record);
  });

  test("an embedding has no output to count", () => {
    const fields = {
      kind: "embedding",
      provider: "openai",
      model: "text-embedding-3-small",
      usage: { input: 1_000_000 },
    } as const;
    expect(costOf(fields)?.nanoUsd).toBe(20_000_000);
  });
});

describe("which cost wins", () => {
  const fields = {
    provider: "openai",
    model: "gpt-4o",
    usage: { input: 1000, output: 100, cachedInput: 400 },
  };
  const own: PricingOptions = {
    overrides: { "openai/gpt-4o": { inputPerMTok: 1, outputPerMTok: 2, cachedInputPerMTok: 0.5 } },
    version: "2026-07",
  };

  test("a reported one over the table", () => {
    const cost = { nanoUsd: 7, source: "reported" } as const;
    expect(costOf({ ...fields, cost })).toEqual(cost);
  });

  test("a computed one that stands stays, so that history does not move", () => {
    const cost = { nanoUsd: 7, source: "computed", priceVersion: "genai-prices@0.0.1" } as const;
    expect(costOf({ ...fields, cost })).toEqual(cost);
  });

  test("the host's over all, without the table", () => {
    const host = createPricer(own);
    const record = host.price(llm({ ...fields, cost: { nanoUsd: 7, source: "reported" } }));
    expect(record.cost).toEqual({
      nanoUsd: 1_000_000,
      source: "override",
      priceVersion: "host@2026-07",
      parts: { input: 600_000, cachedInput: 200_000, output: 200_000 },
    });
    expect(host.loaded).toBe(false);
    expect(host.price(record)).toBe(record);
  });

  test("prices that are none are refused", () => {
    const overrides = { "openai/gpt-4o": { inputPerMTok: -1, outputPerMTok: 1 } };
    expect(() => createPricer({ overrides })).toThrow(/"openai\/gpt-4o" has no usable inputPerMTok/);
  });
});

test("the table is loaded when a span first needs it", async () => {
  const lazy = createPricer();
  const free = llm({});
  lazy.price(free);
  expect(lazy.loaded).toBe(false);
  const record = llm({ provider: "openai", model: "gpt-4o", usage: { input: 1, output: 1 } });
  expect(lazy.price(record)).toBe(record);
  await lazy.ready;
  expect(lazy.loaded).toBe(true);
  expect(lazy.price(record).cost?.nanoUsd).toBe(12_500);
});
