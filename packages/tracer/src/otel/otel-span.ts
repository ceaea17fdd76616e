import type { Context, Span, SpanContext } from "@opentelemetry/api";

/**
 * The fields of a recording OpenTelemetry span that are read here, typed by their shape, so that spans of the 2.x and
 * 3.x SDK lines both fit.
 */
export interface OtelSpan {
  readonly name: string;
  /** 0 internal, 1 server, 2 client, 3 producer, 4 consumer. */
  readonly kind: number;
  spanContext(): SpanContext;
  readonly parentSpanContext?: SpanContext | undefined;
  readonly startTime: readonly [number, number];
  readonly endTime: readonly [number, number];
  /** Code 0 unset, 1 ok, 2 error. */
  readonly status: { readonly code: number; readonly message?: string };
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly OtelEvent[];
  readonly links: readonly OtelLink[];
  readonly resource: { readonly attributes: Readonly<Record<string, unknown>>; readonly schemaUrl?: string };
  readonly instrumentationScope: OtelScope;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

export interface OtelScope {
  readonly name: string;
  readonly version?: string;
  readonly schemaUrl?: string;
}

export interface OtelEvent {
  readonly name: string;
  readonly time: readonly [number, number];
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly droppedAttributesCount?: number;
}

export interface OtelLink {
  readonly context: SpanContext;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly droppedAttributesCount?: number;
}

/** A span processor of either SDK line, by its shape. */
export interface OtelSpanProcessor {
  onStart(span: Span & OtelSpan, parentContext: Context): void;
  /** Just before the end, while the span can still be changed. */
  onEnding?(span: Span & OtelSpan): void;
  onEnd(span: OtelSpan): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}
