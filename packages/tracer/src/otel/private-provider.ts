import { type Context, type Link, type Span, type SpanContext, trace } from "@opentelemetry/api";
import { isSpanId, isTraceId, newTraceId } from "@spanloom/model";
import type { SpanFacts } from "../facts.ts";
import type { SpanMirror } from "./mirror.ts";
import { RecordingSpan, type SpanHome, type SpanParts } from "./recording-span.ts";
import type { OtelResource } from "./resource.ts";
import type { SpanLimits } from "./span-limits.ts";
import type { StoreSpanProcessor } from "./store-span-processor.ts";

/** Below what a span starts. */
export interface Parent {
  /** Absent for the root of a new trace. */
  readonly span: Span | undefined;
  /** OpenTelemetry's context with that span in it. */
  readonly context: Context;
  /** The same, but for which spans of ours it holds. */
  readonly around: Context;
}

export function parentIn(context: Context): Parent {
  return { span: trace.getSpan(context), context, around: context };
}

export interface StartRequest extends SpanParts {
  links?: Link[] | undefined;
  parent: Parent;
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
    const { parent: place, links, facts } = request;
    const above = place.span;
    const own = above instanceof RecordingSpan;
    const parent = own ? above.spanContext() : usable(above);
    const context: SpanContext = {
      traceId: parent?.traceId ?? newTraceId(),
      spanId: newSpanId(),
      traceFlags: 1,
      traceState: parent?.traceState,
    };
    const depth = own ? above.depth + 1 : 0;
    const span = new RecordingSpan(this, request, context, parent, depth);
    if (links !== undefined) span.addLinks(links);
    this.store.onStart(span, above, facts);
    this.mirror?.onStart(span, place.context);
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
export function unrecordedContext(above: Span | undefined): SpanContext {
  return { traceId: usable(above)?.traceId ?? newTraceId(), spanId: newSpanId(), traceFlags: 0 };
}

/** Another copy of OpenTelemetry may have put anything there. */
function usable(above: Span | undefined): SpanContext | undefined {
  const parent = above?.spanContext();
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
  // Never all zero.
  pool[used] = (pool[used] as number) | 1;
  const id = pool.toString("hex", used, used + 8);
  used += 8;
  return id;
}
