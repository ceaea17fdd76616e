import type { Tracer } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  type SpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { newTraceId, RESOURCE } from "@spanloom/model";

export interface PrivateProviderOptions {
  enabled: boolean;
  serviceName?: string;
  serviceVersion?: string;
  environment?: string;
  processors: SpanProcessor[];
}

/**
 * An OpenTelemetry provider of our own, which no other code sees: the host's provider, sampler and exporters stay as they
 * are. The one module that needs the OpenTelemetry SDK, by the names that its 2.x and 3.x lines share.
 */
export function createPrivateProvider(options: PrivateProviderOptions): {
  tracer: Tracer;
  shutdown: () => Promise<void>;
} {
  const { enabled, serviceName, serviceVersion, environment, processors } = options;
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      [RESOURCE.serviceName]: serviceName ?? process.env.OTEL_SERVICE_NAME ?? "unknown_service",
      ...(serviceVersion !== undefined && { [RESOURCE.serviceVersion]: serviceVersion }),
      ...(environment !== undefined && { [RESOURCE.environment]: environment }),
    }),
    // The environment's sampler is meant for the host's own provider: costs and summaries need every span.
    sampler: enabled ? new AlwaysOnSampler() : new AlwaysOffSampler(),
    idGenerator: { generateTraceId: newTraceId, generateSpanId: newSpanId },
    spanProcessors: processors,
  });
  return { tracer: provider.getTracer("@spanloom/tracer"), shutdown: () => provider.shutdown() };
}

const pool = Buffer.alloc(8_192);
let used = pool.length;

/** 16 random hex digits. Random bytes are fetched a thousand ids at a time: asking for eight costs as much. */
function newSpanId(): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const id = pool.toString("hex", used, used + 8);
  used += 8;
  return id === "0000000000000000" ? newSpanId() : id;
}
