// A host on the OpenTelemetry SDK whose package it is told, or on none: prints what our store and its own exporters got.
const { context, trace } = require("@opentelemetry/api");
const { createMemoryStore } = require("@spanloom/store");
const { createWorkflowTracer } = require("@spanloom/tracer");
const { mirrorTo, redactingExporter, spanProcessor } = require("@spanloom/tracer/otel");

const [sdkName, langfuseName] = process.argv.slice(2);
const store = createMemoryStore();
const problems = [];
const own = { prompt: "our own prompt", answer: "our own answer" };
const foreign = { prompt: "their prompt", answer: "their answer" };

async function main() {
  const exported = [];
  const seenByTracerProcessor = [];
  const exporter = (into) => ({
    export: (spans, done) => {
      for (const { name, attributes, events } of spans) into.push({ name, attributes, events });
      done({ code: 0 });
    },
    shutdown: async () => undefined,
    forceFlush: async () => undefined,
  });
  const sdk = sdkName ? require(sdkName) : undefined;
  const tracer = createWorkflowTracer({
    store,
    onProblem: ({ code, message }) => problems.push({ code, message }),
    ...(sdk && { mirror: mirrorTo(made(sdk, "SimpleSpanProcessor", exporter(seenByTracerProcessor))) }),
  });
  const provider = sdk && hostProvider(sdk, tracer, redactingExporter(exporter(exported)));

  const result = await tracer.execution({ workflowId: "ping" }, (execution) =>
    execution.node({ id: "ask" }, async (node) => {
      await node.llm({ model: "gpt-4.1-mini", provider: "openai", input: own.prompt }, async (llm) => {
        llm.setUsage({ input: 10, output: 2 });
        return own.answer;
      });
      await new Promise((resolve) => setTimeout(resolve, 1));
      trace
        .getTracer("their-instrumentation")
        .startSpan("their call", {
          attributes: {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4.1-mini",
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.input.messages": JSON.stringify([
              { role: "user", parts: [{ type: "text", content: foreign.prompt }] },
            ]),
            "gen_ai.output.messages": JSON.stringify([
              { role: "assistant", parts: [{ type: "text", content: foreign.answer }] },
            ]),
          },
        })
        .end();
      return "pong";
    }),
  );
  await provider?.forceFlush();
  await provider?.shutdown();
  await tracer.shutdown();
  const scoped = store.forScope("default");
  const { items } = await scoped.listExecutions({});
  const page = await scoped.getTrace(items[0].executionId, { view: "full" });
  const stored = page.spans.map(({ name, kind, nodeId, spanId, parentSpanId, usage, input }) => ({
    name,
    kind,
    nodeId,
    spanId,
    parentSpanId,
    usage,
    input,
  }));
  console.log(
    JSON.stringify({ result, status: items[0].status, stored, exported, seenByTracerProcessor, problems }),
  );
}

function hostProvider(sdk, tracer, exporter) {
  const { AsyncLocalStorageContextManager } = require("@opentelemetry/context-async-hooks");
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const Provider = sdk.BasicTracerProvider ?? sdk.TracerProvider;
  const processors = [spanProcessor(tracer), made(sdk, "BatchSpanProcessor", exporter)];
  if (langfuseName) {
    const { LangfuseSpanProcessor } = require(langfuseName);
    const keys = { publicKey: "pk", secretKey: "sk", baseUrl: "http://127.0.0.1:1" };
    processors.push(new LangfuseSpanProcessor({ ...keys, exporter, exportMode: "immediate" }));
  }
  const provider = new Provider({ spanProcessors: processors });
  trace.setGlobalTracerProvider(provider);
  return provider;
}

/** 3.x takes its exporters in options. */
function made(sdk, name, exporter) {
  return new sdk[name](sdk.BasicTracerProvider ? exporter : { exporter });
}

main();
