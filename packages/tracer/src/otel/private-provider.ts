import {
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type SpanKind,
  trace,
} from "@opentelemetry/api";
import { isSpanId, isTraceId, newTraceId } from "@spanloom/model";
import type { HrTime } from "../clock.ts";
import type { SpanFacts } from "../facts.ts";
import type { OtelScope, OtelSpanProcessor } from "./otel-span.ts";
import { RecordingSpan, type SpanHome } from "./recording-span.ts";
import type { OtelResource } from "./resource.ts";
import type { SpanLimits } from "./span-limits.ts";
import type { StoreSpanProcessor } from "./store-span-processor.ts";

export interface StartRequest {
  name: string;
  kind: SpanKind;
  startTime: HrTime;
  now: () => HrTime;
  links?: Link[] | undefined;
  /** Holds the parent's span, or none for the root of a new trace. */
  within: Context;
  scope: OtelScope;
  /** What travels beside the span. Absent for spans of other instrumentations. */
  facts?: SpanFacts;
}

/**
 * An OpenTelemetry provider of our own, which no other code sees: the host's provider, sampler and exporters stay as they
 * are. It samples nothing out: costs and summaries need every span.
 */
export class PrivateProvider implements SpanHome {
  readonly resource: OtelResource;
  readonly limits: SpanLimits;
  readonly #store: StoreSpanProcessor;
  /** The host's. */
  readonly #others: readonly OtelSpanProcessor[];

  constructor(parts: {
    resource: OtelResource;
    limits: SpanLimits;
    store: StoreSpanProcessor;
    others: readonly OtelSpanProcessor[];
  }) {
    this.resource = parts.resource;
    this.limits = parts.limits;
    this.#store = parts.store;
    this.#others = parts.others;
  }

  start({ name, kind, startTime, now, links, within, scope, facts }: StartRequest): RecordingSpan {
    const parent = parentIn(within);
    const context: SpanContext = {
      traceId: parent?.traceId ?? newTraceId(),
      spanId: newSpanId(),
      traceFlags: 1,
    };
    if (parent?.traceState !== undefined) context.traceState = parent.traceState;
    const above = trace.getSpan(within);
    const depth = above instanceof RecordingSpan ? above.depth + 1 : 0;
    const span = new RecordingSpan({
      home: this,
      scope,
      name,
      kind,
      context,
      parent,
      depth,
      startTime,
      now,
    });
    if (links !== undefined) span.addLinks(links);
    this.#store.onStart(span, within, facts);
    for (const processor of this.#others) processor.onStart(span, within);
    return span;
  }

  /** Writes an ended span of ours again: more became known of it. */
  amend(span: object): void {
    this.#store.amend(span);
  }

  /** What travels beside a span, where it is one of ours. */
  factsOf(span: Span | undefined): SpanFacts | undefined {
    return this.#store.factsOf(span);
  }

  onEnding(span: RecordingSpan): void {
    for (const processor of this.#others) processor.onEnding?.(span);
  }

  onEnd(span: RecordingSpan): void {
    this.#store.onEnd(span);
    for (const processor of this.#others) processor.onEnd(span);
  }

  async shutdown(): Promise<void> {
    await Promise.all([this.#store, ...this.#others].map((processor) => processor.shutdown()));
  }
}

/** The ids of a span that is not recorded: hosts that keep them in tables of their own have them all the same. */
export function unrecordedContext(within: Context): SpanContext {
  return { traceId: parentIn(within)?.traceId ?? newTraceId(), spanId: newSpanId(), traceFlags: 0 };
}

/** Another copy of OpenTelemetry may have put anything there. */
function parentIn(within: Context): SpanContext | undefined {
  const parent = trace.getSpanContext(within);
  return parent !== undefined && isTraceId(parent.traceId) && isSpanId(parent.spanId) ? parent : undefined;
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
