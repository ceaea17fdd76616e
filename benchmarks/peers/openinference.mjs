// OpenInference by its documentation: functions wrapped once, each with what turns its input and output into attributes.
import {
  getInputAttributes,
  getLLMAttributes,
  traceChain,
  traceTool,
  withSpan,
} from "@arizeai/openinference-core";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { createCountingExporter } from "../tracer/counting-exporter.ts";
import { asked, serve } from "../tracer/serve.ts";
import { attributesOf, createExchanges, MODEL, NODES, PROVIDER, USAGE } from "../tracer/workload.ts";
import { registerProvider } from "./register-provider.mjs";

const exporter = createCountingExporter();
const processor = new BatchSpanProcessor(exporter);
registerProvider(processor);
const nextExchange = createExchanges(asked.payload);
const tokenCount = {
  prompt: USAGE.input,
  completion: USAGE.output,
  total: USAGE.input + USAGE.output,
};

const model = withSpan(async (_step, exchange) => (await exchange).answer, {
  name: `chat ${MODEL}`,
  kind: "LLM",
  processInput: (step, { messages }) => ({
    ...attributesOf(step),
    ...getLLMAttributes({ provider: PROVIDER, modelName: MODEL, inputMessages: messages }),
  }),
  processOutput: (answer) =>
    getLLMAttributes({
      tokenCount,
      ...(answer !== undefined && { outputMessages: [{ role: "assistant", content: answer }] }),
    }),
});
const tool = traceTool(async (_step, exchange) => (await exchange).result, {
  name: "search",
  processInput: (step, exchange) => ({ ...attributesOf(step), ...jsonInput(exchange.arguments) }),
});
const nodes = Array.from({ length: NODES }, (_, step) =>
  traceChain(
    async () => {
      const exchange = nextExchange();
      await model(step, exchange);
      await tool(step, exchange);
    },
    { name: `node ${step}`, processInput: () => attributesOf(step) },
  ),
);
const workflow = traceChain(
  async () => {
    for (const node of nodes) await node();
  },
  { name: "workflow", processInput: () => attributesOf(0) },
);

serve({ run: workflow, flush: () => processor.forceFlush(), delivered: () => exporter.count });

function jsonInput(value) {
  return value === undefined
    ? {}
    : getInputAttributes({ value: JSON.stringify(value), mimeType: "application/json" });
}
