import { nanosFromMillis, type SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { PRICE_VERSION } from "./price-table.ts";
import { reprice } from "./reprice.ts";

function llm(fields: Partial<SpanRecord>): SpanRecord {
  const startTime = nanosFromMillis(Date.parse("2026-01-15T12:00:00Z"));
  return makeSpan({ kind: "llm", provider: "openai", model: "gpt-4o", startTime, revision: 3, ...fields });
}

const usage = { input: 1_000, output: 100 };
const old = { nanoUsd: 7, source: "computed", priceVersion: "genai-prices@0.0.1" } as const;

describe("reprice", () => {
  test("gives computed and missing costs anew, as a later state of the span", async () => {
    const { records, changed } = await reprice([llm({ usage, cost: old }), llm({ usage })]);
    for (const record of records) {
      expect(record).toMatchObject({
        revision: 4,
        cost: { nanoUsd: 3_500_000, source: "computed", priceVersion: PRICE_VERSION },
      });
    }
    expect(changed).toEqual(records);
    expect((await reprice(records)).changed).toEqual([]);
  });

  test("leaves alone what was reported, what nobody knows, and what has no tokens", async () => {
    const records = [
      llm({ usage, cost: { nanoUsd: 7, source: "reported" } }),
      llm({ usage, cost: old, model: "nobody-knows" }),
      llm({}),
    ];
    const result = await reprice(records);
    expect(result.records).toEqual(records);
    expect(result.changed).toEqual([]);
  });

  test("a host's new list replaces its old one, and models of its own are priced by it", async () => {
    const cost = { nanoUsd: 1, source: "override", priceVersion: "host@2026-01" } as const;
    const overrides = {
      "openai/gpt-4o": { inputPerMTok: 1, outputPerMTok: 2 },
      "acme/house-model": { inputPerMTok: 3, outputPerMTok: 4 },
    };
    const { changed } = await reprice(
      [llm({ usage, cost }), llm({ usage, provider: "acme", model: "house-model" })],
      { overrides, version: "2026-07" },
    );
    expect(
      changed.map((record) => [record.cost?.nanoUsd, record.cost?.source, record.cost?.priceVersion]),
    ).toEqual([
      [1_200_000, "override", "host@2026-07"],
      [3_400_000, "override", "host@2026-07"],
    ]);
  });

  test("an override that is gone gives way to the table", async () => {
    const cost = { nanoUsd: 1, source: "override", priceVersion: "host@2026-01" } as const;
    const { changed } = await reprice([llm({ usage, cost })]);
    expect(changed[0]?.cost).toMatchObject({ nanoUsd: 3_500_000, source: "computed" });
  });

  test("dated prices are those of the span's own day, and long prompts have their tier", async () => {
    const at = (day: string) => nanosFromMillis(Date.parse(day));
    const o3 = { model: "o3", usage: { input: 1_000, output: 0 } };
    const gemini = { provider: "google", model: "gemini-2.5-pro" };
    const { records } = await reprice([
      llm({ ...o3, startTime: at("2025-06-01") }),
      llm({ ...o3, startTime: at("2025-07-01") }),
      llm({ ...gemini, usage: { input: 200_000, output: 0 } }),
      llm({ ...gemini, usage: { input: 200_001, output: 0 } }),
    ]);
    // USD per million tokens: 10, from 10 June 2025 on 2; 1.25 up to 200,000 tokens, 2.50 beyond.
    expect(records.map(({ cost }) => cost?.nanoUsd)).toEqual([
      10_000_000, 2_000_000, 250_000_000, 500_002_500,
    ]);
  });
});
