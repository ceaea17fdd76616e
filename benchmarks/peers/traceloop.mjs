// Traceloop (OpenLLMetry) by its documentation: `initialize`, then a function around each step, which records what goes in
// and comes out by itself. It makes the span of a model call without making it active, so the host's attributes of that
// one are association properties.
import { trace } from "@opentelemetry/api";
import * as traceloop from "@traceloop/node-server-sdk";
import { createCountingExporter } from "../tracer/counting-exporter.ts";
import { asked, serve } from "../tracer/serve.ts";
import { attributesOf, createExchanges, MODEL, NODES, PROVIDER, USAGE } from "../tracer/workload.ts";

const exporter = createCountingExporter();
traceloop.initialize({
  appName: "bench",
  exporter,
  silenceInitializationMessage: true,
  traceloopSyncEnabled: false,
});
const nextExchange = createExchanges(asked.payload);
const usage = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
};

serve({ run: callbacks, flush: () => traceloop.forceFlush(), delivered: () => exporter.count });

function callbacks() {
  return traceloop.withWorkflow({ name: "workflow" }, async () => {
    annotate(0);
    for (let step = 0; step < NODES; step++) {
      await traceloop.withTask({ name: `node ${step}` }, async () => {
        annotate(step);
        const exchange = nextExchange();
        await traceloop.withAssociationProperties(attributesOf(step), () => callModel(exchange));
        await traceloop.withTool({ name: "search" }, searchIn(exchange, step), ...argumentsOf(exchange));
      });
    }
  });
}

function callModel(exchange) {
  return traceloop.withLLMCall({ vendor: PROVIDER, type: "chat" }, async ({ span }) => {
    span.reportRequest({ model: MODEL, messages: exchange.messages ?? [] });
    const { answer } = await exchange;
    const completions =
      answer === undefined
        ? []
        : [{ finish_reason: "stop", message: { role: "assistant", content: answer } }];
    span.reportResponse({ model: MODEL, usage, completions });
  });
}

function searchIn(exchange, step) {
  return async () => {
    annotate(step);
    return (await exchange).result;
  };
}

function argumentsOf(exchange) {
  return exchange.arguments === undefined ? [] : [exchange.arguments];
}

function annotate(step) {
  trace.getActiveSpan()?.setAttributes(attributesOf(step));
}
