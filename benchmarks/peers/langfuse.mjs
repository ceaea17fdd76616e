// Langfuse by its documentation: its processor on an OpenTelemetry provider, observations with types, metadata for the
// host's attributes. The variant `mask` uses the mask of its documentation, one pattern for card numbers.
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { startActiveObservation, startObservation } from "@langfuse/tracing";
import { createCountingExporter } from "../tracer/counting-exporter.ts";
import { asked, serve } from "../tracer/serve.ts";
import { attributesOf, createExchanges, MODEL, NODES, USAGE } from "../tracer/workload.ts";
import { registerProvider } from "./register-provider.mjs";

const mask = ({ data }) =>
  typeof data === "string"
    ? data.replace(/\b\d{4}[- ]?\d{4}[- ]?\d{4}[- ]?\d{4}\b/g, "***MASKED_CREDIT_CARD***")
    : data;
const exporter = createCountingExporter();
const processor = new LangfuseSpanProcessor({
  publicKey: "none",
  secretKey: "none",
  baseUrl: "http://127.0.0.1:9",
  exporter,
  ...(asked.variant === "mask" && { mask }),
});
registerProvider(processor);
const nextExchange = createExchanges(asked.payload);

serve({
  run: asked.variant === "by-hand" ? byHand : callbacks,
  flush: () => processor.forceFlush(),
  delivered: () => exporter.count,
});

function callbacks() {
  return startActiveObservation("workflow", async (root) => {
    root.update({ metadata: attributesOf(0) });
    for (let step = 0; step < NODES; step++) {
      await startActiveObservation(`node ${step}`, async (node) => {
        node.update({ metadata: attributesOf(step) });
        const exchange = nextExchange();
        await startActiveObservation(
          `chat ${MODEL}`,
          async (generation) => {
            generation.update({ model: MODEL, input: exchange.messages, metadata: attributesOf(step) });
            const { answer } = await exchange;
            generation.update({ output: answer, usageDetails: USAGE });
          },
          { asType: "generation" },
        );
        await startActiveObservation(
          "search",
          async (tool) => {
            tool.update({ input: exchange.arguments, metadata: attributesOf(step) });
            const { result } = await exchange;
            tool.update({ output: result });
          },
          { asType: "tool" },
        );
      });
    }
  });
}

function byHand() {
  const root = startObservation("workflow", { metadata: attributesOf(0) });
  for (let step = 0; step < NODES; step++) {
    const { messages, answer, arguments: input, result } = nextExchange();
    const node = root.startObservation(`node ${step}`, { metadata: attributesOf(step) });
    const call = { model: MODEL, input: messages, metadata: attributesOf(step) };
    node
      .startObservation(`chat ${MODEL}`, call, { asType: "generation" })
      .update({ output: answer, usageDetails: USAGE })
      .end();
    node
      .startObservation("search", { input, metadata: attributesOf(step) }, { asType: "tool" })
      .update({ output: result })
      .end();
    node.end();
  }
  root.end();
}
