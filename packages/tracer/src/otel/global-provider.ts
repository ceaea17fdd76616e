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
import { PrivateProvider } from "./private-provider.ts";
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
  trace.setGlobalTracerProvider(new JoiningProvider());
  if (!carriesContext()) context.setGlobalContextManager(new AsyncContextManager());
}

function hasProvider(): boolean {
  const known: TracerProvider & { getDelegateTracer?: (name: string) => Tracer | undefined } =
    trace.getTracerProvider();
  return known.getDelegateTracer === undefined || known.getDelegateTracer("spanloom") !== undefined;
}

/** Asks by trying: setting a second manager would be logged as the host's mistake. */
function carriesContext(): boolean {
  const key = createContextKey("spanloom");
  return context.with(context.active().setValue(key, true), () => context.active().getValue(key) === true);
}

class JoiningProvider implements TracerProvider {
  getTracer(name: string, version?: string): Tracer {
    return new JoiningTracer({ name, ...(version !== undefined && { version }) });
  }
}

/** Starts spans below ours, on the provider that the one above belongs to. */
class JoiningTracer implements Tracer {
  readonly #scope: OtelScope;

  constructor(scope: OtelScope) {
    this.#scope = scope;
  }

  startSpan(name: string, options: SpanOptions = {}, within: Context = context.active()): Span {
    const place = exactContext(within);
    const above = trace.getSpan(place);
    if (options.root || !(above instanceof RecordingSpan) || !(above.home instanceof PrivateProvider)) {
      return trace.wrapSpanContext(
        (options.root ? undefined : trace.getSpanContext(within)) ?? INVALID_SPAN_CONTEXT,
      );
    }
    const { now } = above;
    const span = above.home.start({
      name,
      kind: options.kind ?? SpanKind.INTERNAL,
      startTime: options.startTime === undefined ? now() : hrTime(options.startTime),
      now,
      links: options.links,
      within: place,
      scope: this.#scope,
    });
    if (options.attributes !== undefined) span.setAttributes(options.attributes);
    return span;
  }

  startActiveSpan<F extends (span: Span) => ReturnType<F>>(name: string, fn: F): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => ReturnType<F>>(
    name: string,
    options: SpanOptions,
    fn: F,
  ): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => ReturnType<F>>(
    name: string,
    options: SpanOptions,
    within: Context,
    fn: F,
  ): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => ReturnType<F>>(
    name: string,
    ...rest: [F] | [SpanOptions, F] | [SpanOptions, Context, F]
  ): ReturnType<F> {
    const fn = rest.at(-1) as F;
    const [options, given] = rest.slice(0, -1) as [SpanOptions?, Context?];
    const within = given ?? context.active();
    const span = this.startSpan(name, options, within);
    return context.with(trace.setSpan(within, span), fn, undefined, span);
  }
}
