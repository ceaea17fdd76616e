import {
  type Context,
  context,
  createContextKey,
  INVALID_SPAN_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { exactContext } from "../active-place.ts";
import { AsyncContextManager } from "./context-manager.ts";
import type { OtelScope } from "./otel-span.ts";
import { PrivateProvider, parentIn } from "./private-provider.ts";
import { hrTime, RecordingSpan } from "./recording-span.ts";

let done = false;

/**
 * Where the host has no OpenTelemetry provider, registers one that lets spans of other instrumentations join the
 * executions that they run in. Outside of executions nothing is recorded, as before. Called when the first execution
 * starts: by then a host that uses OpenTelemetry has set its own up, which stays.
 */
export function joinOtherInstrumentations(): void {
  if (done) return;
  done = true;
  if (hasProvider()) return;
  trace.setGlobalTracerProvider({
    getTracer: (name, version) => joiningTracer({ name, ...(version !== undefined && { version }) }),
  });
  const manager = new AsyncContextManager();
  if (!hasContextManager() && context.setGlobalContextManager(manager)) manager.enable();
}

function hasProvider(): boolean {
  const known: TracerProvider & { getDelegateTracer?: (name: string) => Tracer | undefined } =
    trace.getTracerProvider();
  return known.getDelegateTracer === undefined || known.getDelegateTracer("spanloom") !== undefined;
}

/** Asks by trying: setting a second manager would be logged as the host's mistake. */
function hasContextManager(): boolean {
  const key = createContextKey("spanloom");
  return context.with(context.active().setValue(key, true), () => context.active().getValue(key) === true);
}

/** Starts spans below ours, on the provider that the one above belongs to. */
function joiningTracer(scope: OtelScope): Tracer {
  const startSpan: Tracer["startSpan"] = (name, options = {}, within = context.active()) => {
    const place = exactContext(within);
    const above = trace.getSpan(place);
    if (options.root || !(above instanceof RecordingSpan) || !(above.home instanceof PrivateProvider)) {
      return trace.wrapSpanContext(
        (options.root ? undefined : trace.getSpanContext(within)) ?? INVALID_SPAN_CONTEXT,
      );
    }
    const { now, home } = above;
    const { kind = SpanKind.INTERNAL, startTime, links, attributes = {} } = options;
    const startedAt = startTime === undefined ? now() : hrTime(startTime);
    return home
      .start({ name, kind, startTime: startedAt, now, links, parent: parentIn(place), scope })
      .setAttributes(attributes);
  };
  return {
    startSpan,
    startActiveSpan<F extends (span: Span) => ReturnType<F>>(
      name: string,
      ...rest: [F] | [SpanOptions, F] | [SpanOptions, Context, F]
    ): ReturnType<F> {
      const run = rest.at(-1) as F;
      const [options, within = context.active()] = rest.slice(0, -1) as [SpanOptions?, Context?];
      const span = startSpan(name, options, within);
      return context.with(trace.setSpan(within, span), run, undefined, span);
    },
  };
}
