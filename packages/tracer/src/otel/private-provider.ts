import { type Context, type Link, type SpanContext, trace } from "@opentelemetry/api";
import { isSpanId, isTraceId, newTraceId } from "@spanloom/model";
import type { SpanFacts } from "../facts.ts";
import type { SpanMirror } from "./mirror.ts";
import { RecordingSpan, type SpanHome, type SpanParts } from "./recording-span.ts";
import type { OtelResource } from "./resource.ts";
import type { SpanLimits } from "./span-limits.ts";
import type { StoreSpanProcessor } from "./store-span-processor.ts";

export interface StartRequest extends SpanParts {
  links?: Link[] | undefined;
  /** Holds the parent's span, or none for the root of a new trace. */
  within: Context;
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
  readonly store: StoreSpanProcessor;
  /** Where processors of the host see our spans, too. */
  readonly mirror: SpanMirror | undefined;

  constructor(
    attributes: OtelResource["attributes"],
    limits: SpanLimits,
    store: StoreSpanProcessor,
    mirror: SpanMirror | undefined,
  ) {
    this.resource = mirror?.resource(attributes) ?? { attributes };
    this.limits = limits;
    this.store = store;
    this.mirror = mirror;
  }

  start(request: StartRequest): RecordingSpan {
    const { within, links, facts } = request;
    const above = trace.getSpan(within);
    const own = above instanceof RecordingSpan;
    const parent = own ? above.spanContext() : parentIn(within);
    const context: SpanContext = {
      traceId: parent?.traceId ?? newTraceId(),
      spanId: newSpanId(),
      traceFlags: 1,
    };
    if (parent?.traceState !== undefined) context.traceState = parent.traceState;
    const depth = own ? above.depth + 1 : 0;
    const span = new RecordingSpan(this, request, context, parent, depth);
    if (links !== undefined) span.addLinks(links);
    this.store.onStart(span, within, facts);
    this.mirror?.onStart(span, within);
    return span;
  }

  onEnding(span: RecordingSpan): void {
    this.mirror?.onEnding(span);
  }

  onEnd(span: RecordingSpan): void {
    this.store.onEnd(span);
    this.mirror?.onEnd(span);
  }

  async shutdown(): Promise<void> {
    this.store.shutdown();
    await this.mirror?.shutdown();
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
