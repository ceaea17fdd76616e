import { type Context, type Span, trace } from "@opentelemetry/api";
import { askEngines } from "../active-place.ts";
import { RecordingSpan } from "../otel/recording-span.ts";
import type { Recorder } from "../recorder.ts";
import type { SpanHandle } from "../span-handle.ts";

/** Of an engine that calls the host's functions itself: the spans of those that run here, of whatever tracer. */
export type Locator = () => readonly SpanHandle[];

const locators = new Set<Locator>();

export function addLocator(locator: Locator): void {
  locators.add(locator);
  askEngines({ innermost, exactContext });
}

function innermost(recorder: Recorder, running: SpanHandle | undefined): SpanHandle | undefined {
  let innermost = running;
  for (const handle of located()) {
    if (handle.recorder !== recorder) continue;
    if (innermost === undefined || depthOf(handle.recording.span) > depthOf(innermost.recording.span))
      innermost = handle;
  }
  return innermost;
}

function exactContext(within: Context): Context {
  const above = trace.getSpan(within);
  let exact = within;
  let depth = above === undefined ? -1 : depthOf(above);
  // A span that is not of ours stands somewhere below: it knows best.
  if (above !== undefined && depth < 0) return within;
  for (const { recording } of located()) {
    const { span } = recording;
    if (above !== undefined && above.spanContext().traceId !== span.spanContext().traceId) continue;
    if (depthOf(span) <= depth) continue;
    exact = recording.context;
    depth = depthOf(span);
  }
  return exact;
}

function located(): SpanHandle[] {
  return [...locators].flatMap((locator) => locator());
}

/** Both enclose the code that runs here, so the deeper one is the inner one. */
function depthOf(span: Span): number {
  return span instanceof RecordingSpan ? span.depth : -1;
}
