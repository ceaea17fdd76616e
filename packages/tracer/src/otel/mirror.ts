import type { Context } from "@opentelemetry/api";
import type { SpanFacts } from "../facts.ts";
import type { ProblemReporter } from "../problems.ts";
import type { RecordingSpan } from "./recording-span.ts";
import type { OtelResource } from "./resource.ts";

/** Shows our spans to processors of the host: what `mirrorTo` of `@spanloom/tracer/otel` makes. */
export interface Mirror {
  /** @internal */
  open(problems: ProblemReporter): SpanMirror;
}

/** Nothing in it throws. */
export interface SpanMirror {
  /** The tracer's resource, as exporters of an SDK ask for it. */
  resource(attributes: OtelResource["attributes"]): OtelResource;
  /** Sets what the facts beside the span say as attributes, but for content. */
  describe(span: RecordingSpan, facts: SpanFacts): void;
  onStart(span: RecordingSpan, within: Context): void;
  onEnding(span: RecordingSpan): void;
  onEnd(span: RecordingSpan): void;
  shutdown(): Promise<unknown>;
}
