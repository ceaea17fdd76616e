// The measure of all others: OpenTelemetry's SDK by itself, in the attributes of its GenAI conventions.
import { type Context, context, type Span, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from "@opentelemetry/sdk-trace-base";
import { createCountingExporter } from "./counting-exporter.ts";
import { asked, serve } from "./serve.ts";
import { attributesOf, createExchanges, type Exchange, MODEL, NODES, PROVIDER, USAGE } from "./workload.ts";

const exporter = createCountingExporter(asked.variant === "otlp" ? await otlpExporter() : undefined);
const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(provider);
const tracer = trace.getTracer("bench");
const nextExchange = createExchanges(asked.payload);

serve({
  run: { sync: syncCallbacks, "by-hand": byHand }[asked.variant] ?? callbacks,
  flush: () => provider.forceFlush(),
  delivered: () => exporter.count,
});

/** The peers' install has it. */
async function otlpExporter(): Promise<SpanExporter> {
  const file = new URL("../peers/otlp-exporter.mjs", import.meta.url).href;
  const { createOtlpExporter } = (await import(file)) as {
    createOtlpExporter: (url: string) => SpanExporter;
  };
  return createOtlpExporter(process.env.BENCH_COLLECTOR ?? "");
}

function callbacks(): Promise<void> {
  return tracer.startActiveSpan("workflow", rootOptions(), async (root) => {
    for (let step = 0; step < NODES; step++) {
      await tracer.startActiveSpan(`node ${step}`, { attributes: attributesOf(step) }, async (node) => {
        const exchange = nextExchange();
        await tracer.startActiveSpan(
          `chat ${MODEL}`,
          { attributes: asksModel(step, exchange) },
          async (span) => {
            answered(span, await exchange);
            span.end();
          },
        );
        await tracer.startActiveSpan("search", { attributes: asksTool(step, exchange) }, async (span) => {
          returned(span, await exchange);
          span.end();
        });
        node.end();
      });
    }
    root.end();
  });
}

function syncCallbacks(): void {
  tracer.startActiveSpan("workflow", rootOptions(), (root) => {
    for (let step = 0; step < NODES; step++) {
      tracer.startActiveSpan(`node ${step}`, { attributes: attributesOf(step) }, (node) => {
        const exchange = nextExchange();
        tracer.startActiveSpan(`chat ${MODEL}`, { attributes: asksModel(step, exchange) }, (span) => {
          answered(span, exchange);
          span.end();
        });
        tracer.startActiveSpan("search", { attributes: asksTool(step, exchange) }, (span) => {
          returned(span, exchange);
          span.end();
        });
        node.end();
      });
    }
    root.end();
  });
}

function byHand(): void {
  const root = tracer.startSpan("workflow", rootOptions());
  const inRoot = within(root);
  for (let step = 0; step < NODES; step++) {
    const exchange = nextExchange();
    const node = tracer.startSpan(`node ${step}`, { attributes: attributesOf(step) }, inRoot);
    const inNode = within(node);
    const call = tracer.startSpan(`chat ${MODEL}`, { attributes: asksModel(step, exchange) }, inNode);
    answered(call, exchange);
    call.end();
    const tool = tracer.startSpan("search", { attributes: asksTool(step, exchange) }, inNode);
    returned(tool, exchange);
    tool.end();
    node.end();
  }
  root.end();
}

function rootOptions(): { root: true; attributes: Record<string, string | number | boolean> } {
  return { root: true, attributes: attributesOf(0) };
}

function within(span: Span): Context {
  return trace.setSpan(context.active(), span);
}

function asksModel(step: number, { messages }: Exchange): Record<string, string | number | boolean> {
  const attributes = attributesOf(step);
  attributes["gen_ai.request.model"] = MODEL;
  attributes["gen_ai.provider.name"] = PROVIDER;
  if (messages !== undefined) attributes["gen_ai.input.messages"] = JSON.stringify(messages);
  return attributes;
}

function answered(span: Span, { answer }: Exchange): void {
  span.setAttribute("gen_ai.usage.input_tokens", USAGE.input);
  span.setAttribute("gen_ai.usage.output_tokens", USAGE.output);
  if (answer !== undefined)
    span.setAttribute("gen_ai.output.messages", JSON.stringify([{ role: "assistant", content: answer }]));
}

function asksTool(step: number, exchange: Exchange): Record<string, string | number | boolean> {
  const attributes = attributesOf(step);
  if (exchange.arguments !== undefined)
    attributes["gen_ai.tool.call.arguments"] = JSON.stringify(exchange.arguments);
  return attributes;
}

function returned(span: Span, { result }: Exchange): void {
  if (result !== undefined) span.setAttribute("gen_ai.tool.call.result", JSON.stringify(result));
}
