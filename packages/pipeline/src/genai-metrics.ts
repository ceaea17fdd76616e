import { GEN_AI, millisBetween, type SpanRecord } from "@spanloom/model";

/** The part of an OpenTelemetry meter that is used here: `metrics.getMeter("my-app")` is one. */
export interface HistogramMeter {
  createHistogram(
    name: string,
    options: { description: string; unit: string; advice: { explicitBucketBoundaries: number[] } },
  ): { record(value: number, attributes: Record<string, string>): void };
}

/** The boundaries that the conventions advise: powers of four, and hundredths of a second doubled. */
const TOKEN_BOUNDARIES = Array.from({ length: 14 }, (_, power) => 4 ** power);
const SECOND_BOUNDARIES = Array.from({ length: 14 }, (_, power) => 0.01 * 2 ** power);

/**
 * Records the client metrics of OpenTelemetry's GenAI conventions, `gen_ai.client.token.usage` and
 * `gen_ai.client.operation.duration`, for ended spans that called a model; others are passed over. Source:
 * open-telemetry/semantic-conventions, docs/gen-ai/gen-ai-metrics.md.
 */
export function createGenAiMetrics(meter: HistogramMeter): (record: SpanRecord) => void {
  const tokens = meter.createHistogram("gen_ai.client.token.usage", {
    description: "Number of input and output tokens used.",
    unit: "{token}",
    advice: { explicitBucketBoundaries: TOKEN_BOUNDARIES },
  });
  const duration = meter.createHistogram("gen_ai.client.operation.duration", {
    description: "GenAI operation duration.",
    unit: "s",
    advice: { explicitBucketBoundaries: SECOND_BOUNDARIES },
  });

  return (record) => {
    const { kind, startTime, endTime, syntheticEnd, usage, status } = record;
    if ((kind !== "llm" && kind !== "embedding") || endTime === undefined) return;
    const attributes = attributesOf(record);
    // A client counts what it sent once: a span that repeats what its children used says so.
    if (usage?.subtotal !== true) {
      if (usage?.input !== undefined)
        tokens.record(usage.input, { ...attributes, "gen_ai.token.type": "input" });
      if (usage?.output !== undefined)
        tokens.record(usage.output, { ...attributes, "gen_ai.token.type": "output" });
    }
    // Nobody knows when it really ended.
    if (syntheticEnd !== undefined) return;
    duration.record(millisBetween(startTime, endTime) / 1_000, {
      ...attributes,
      ...(status.code === "error" && { "error.type": errorType(record) }),
    });
  };
}

/** Few values each: a metric keeps a series for every combination. */
function attributesOf({ attributes, kind, provider, model }: SpanRecord): Record<string, string> {
  const operation = attributes[GEN_AI.operationName];
  const requested = attributes[GEN_AI.requestModel];
  const known = kind === "embedding" ? "embeddings" : "chat";
  return {
    [GEN_AI.operationName]: typeof operation === "string" ? operation : known,
    [GEN_AI.providerName]: provider ?? "_OTHER",
    ...(model !== undefined && { [GEN_AI.requestModel]: typeof requested === "string" ? requested : model }),
    ...(model !== undefined && { [GEN_AI.responseModel]: model }),
  };
}

function errorType({ events }: SpanRecord): string {
  const type = events.findLast(({ name }) => name === "exception")?.attributes["exception.type"];
  return typeof type === "string" ? type : "_OTHER";
}
