import { AsyncLocalStorage } from "node:async_hooks";
import { type Context, type Span, trace } from "@opentelemetry/api";
import { RecordingSpan } from "./otel/recording-span.ts";
import type { Recorder } from "./recorder.ts";
import type { SpanHandle } from "./span-handle.ts";

/** What one host callback runs under, so that code below it finds its place. */
const places = new AsyncLocalStorage<{ recorder: Recorder; handle: SpanHandle }>();

/** Of an engine that calls the host's functions itself: the spans of those that run here, of whatever tracer. */
export type Locator = () => readonly SpanHandle[];

const locators = new Set<Locator>();

export function addLocator(locator: Locator): void {
  locators.add(locator);
}

export function runAt<T>(recorder: Recorder, handle: SpanHandle, work: () => T): T {
  return places.run({ recorder, handle }, work);
}

/** The innermost span of this recorder whose callback is running. */
export function activeHandle(recorder: Recorder): SpanHandle | undefined {
  const place = places.getStore();
  let innermost = place?.recorder === recorder ? place.handle : undefined;
  for (const handle of located(recorder)) {
    if (innermost === undefined || depthOf(handle.recording.span) > depthOf(innermost.recording.span))
      innermost = handle;
  }
  return innermost;
}

/** Where a span of another instrumentation belongs that would start in `within`: an engine may know it more exactly. */
export function exactContext(within: Context): Context {
  if (locators.size === 0) return within;
  const above = trace.getSpan(within);
  let exact = within;
  let depth = above === undefined ? -1 : depthOf(above);
  // A span that is not of ours stands somewhere below: it knows best.
  if (above !== undefined && depth < 0) return within;
  for (const { recording } of located()) {
    const { span, context } = recording;
    if (above !== undefined && above.spanContext().traceId !== span.spanContext().traceId) continue;
    if (depthOf(span) <= depth) continue;
    exact = context;
    depth = depthOf(span);
  }
  return exact;
}

function located(recorder?: Recorder): SpanHandle[] {
  return [...locators]
    .flatMap((locator) => locator())
    .filter((handle) => recorder === undefined || handle.belongsTo(recorder));
}

/** Both enclose the code that runs here, so the deeper one is the inner one. */
function depthOf(span: Span): number {
  return span instanceof RecordingSpan ? span.depth : -1;
}
