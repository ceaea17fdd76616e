// What every capture shares: a provider that keeps its spans in memory, and the way into a fixture.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";

const FIXTURES = join(import.meta.dirname, "../../packages/pipeline/src/normalize/dialects/fixtures");

/** A provider, registered globally, and its finished spans. */
export function registerProvider(...processors) {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter), ...processors],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  return { provider, exporter };
}

/** Writes spans as OTLP/JSON, as the instrumentation made them; the resource is replaced, because it tells of the machine. */
export function writeFixture(name, spans) {
  const request = JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans)));
  for (const { resource } of request.resourceSpans) {
    resource.attributes = [{ key: "service.name", value: { stringValue: "weather" } }];
  }
  mkdirSync(FIXTURES, { recursive: true });
  writeFileSync(join(FIXTURES, `${name}.json`), `${JSON.stringify(request, undefined, 1)}\n`);
  console.log(`${name}: ${spans.length} spans`);
}
