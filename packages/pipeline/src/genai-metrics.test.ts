import { nanosFromMillis } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { createGenAiMetrics, type HistogramMeter } from "./genai-metrics.ts";

interface Recorded {
  name: string;
  unit: string;
  value: number;
  attributes: Record<string, string>;
}

function createMeter(): {
  meter: HistogramMeter;
  recorded: Recorded[];
  boundaries: Record<string, number[]>;
} {
  const recorded: Recorded[] = [];
  const boundaries: Record<string, number[]> = {};
  const meter: HistogramMeter = {
    createHistogram: (name, { unit, advice }) => {
      boundaries[name] = advice.explicitBucketBoundaries;
      return { record: (value, attributes) => void recorded.push({ name, unit, value, attributes }) };
    },
  };
  return { meter, recorded, boundaries };
}

const call = makeSpan({
  kind: "llm",
  provider: "openai",
  model: "gpt-4o-2024-08-06",
  attributes: { "gen_ai.request.model": "gpt-4o" },
  startTime: nanosFromMillis(1_000),
  endTime: nanosFromMillis(3_500),
  usage: { input: 100, output: 20, reasoning: 5 },
});
const attributes = {
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": "openai",
  "gen_ai.request.model": "gpt-4o",
  "gen_ai.response.model": "gpt-4o-2024-08-06",
};

describe("the client metrics of a call", () => {
  test("tokens by type, and seconds", () => {
    const { meter, recorded, boundaries } = createMeter();
    createGenAiMetrics(meter)(call);
    expect(recorded).toEqual([
      {
        name: "gen_ai.client.token.usage",
        unit: "{token}",
        value: 100,
        attributes: { ...attributes, "gen_ai.token.type": "input" },
      },
      {
        name: "gen_ai.client.token.usage",
        unit: "{token}",
        value: 20,
        attributes: { ...attributes, "gen_ai.token.type": "output" },
      },
      { name: "gen_ai.client.operation.duration", unit: "s", value: 2.5, attributes },
    ]);
    expect(boundaries["gen_ai.client.token.usage"]).toEqual([
      1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
    ]);
    expect(boundaries["gen_ai.client.operation.duration"]?.[13]).toBeCloseTo(81.92);
  });

  test("a failure has its type; an end that nobody saw has no duration; unknown is not 0", () => {
    const { meter, recorded } = createMeter();
    const record = createGenAiMetrics(meter);
    const exception = {
      name: "exception",
      time: call.startTime,
      attributes: { "exception.type": "RateLimitError" },
    };
    record({ ...call, usage: {}, status: { code: "error" }, events: [exception] });
    record({ ...call, usage: { input: 7 }, syntheticEnd: "timed_out" });
    expect(recorded.map(({ name, value }) => [name, value])).toEqual([
      ["gen_ai.client.operation.duration", 2.5],
      ["gen_ai.client.token.usage", 7],
    ]);
    expect(recorded[0]?.attributes["error.type"]).toBe("RateLimitError");
  });

  test("spans that called no model, that run, and tokens that are their children's are passed over", () => {
    const { meter, recorded } = createMeter();
    const record = createGenAiMetrics(meter);
    const { endTime: _endTime, ...running } = call;
    record(running);
    record({ ...call, kind: "agent" });
    record({ ...call, usage: { input: 1, output: 1, subtotal: true } });
    expect(recorded.map(({ name }) => name)).toEqual(["gen_ai.client.operation.duration"]);
  });
});
