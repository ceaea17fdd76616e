import {
  type Attributes,
  type AttributeValue,
  type Context,
  context,
  type Span,
  type SpanOptions,
  type TimeInput,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { SPANLOOM } from "@spanloom/model";
import { ExecutionClock } from "../clock.ts";
import type { WorkflowTracer } from "../create-workflow-tracer.ts";
import { SpanFacts } from "../facts.ts";
import type { Recorder, Recording } from "../recorder.ts";
import { SpanHandle } from "../span-handle.ts";
import { ExecutionTotals } from "../totals.ts";
import { isFigure } from "./figures.ts";
import { mirrorAttributes } from "./mirror-attributes.ts";
import { attributeOf, setAttribute } from "./snapshot.ts";
import { factsOfSpan } from "./store-span-processor.ts";

/** Told of each span that is started, with the handle that makes it the active one. */
export type OnSpan = (span: SpanHandle) => void;

/**
 * An OpenTelemetry tracer for instrumentations that take one. Its spans stand below the span of ours that is active, with
 * no context manager needed, and are stored as all others are. What instrumentations write as attributes, prompts and
 * responses among it, never reaches an OpenTelemetry span: it travels beside, where the pipeline normalises and redacts it.
 */
export function otelTracer({ recorder }: WorkflowTracer, onSpan?: OnSpan): Tracer {
  const start = (name: string, options: SpanOptions, within: Context): SpanHandle => {
    const handle = startForeign(recorder, name, options, within);
    onSpan?.(handle);
    return handle;
  };
  return {
    startSpan: (name, options = {}, within = context.active()) => start(name, options, within).recording.span,
    startActiveSpan<F extends (span: Span) => unknown>(
      name: string,
      ...rest: [F] | [SpanOptions, F] | [SpanOptions, Context, F]
    ): ReturnType<F> {
      const run = rest.at(-1) as F;
      const [options = {}, within = context.active()] = rest.slice(0, -1) as [SpanOptions?, Context?];
      const handle = start(name, options, within);
      return handle.run(() => run(handle.recording.span) as ReturnType<F>);
    },
  };
}

function startForeign(recorder: Recorder, name: string, options: SpanOptions, given: Context): SpanHandle {
  const within = options.root === true ? trace.deleteSpan(given) : parentContext(recorder, given);
  const above = factsOfSpan(trace.getSpan(within));
  const execution = above?.execution ?? { clock: new ExecutionClock(), totals: new ExecutionTotals() };
  const facts = new SpanFacts(execution, "internal", above?.node);
  recorder.problems.guard("span start", () => keep(recorder, facts, options.attributes));
  const recording = recorder.start(name, facts, within, options.links, options.startTime, options.kind);
  if (recording.span.isRecording()) divert(recorder, recording, name, options.attributes);
  return new SpanHandle(recorder, recording, name);
}

/** A context that holds a span of ours says best where we are; without a context manager only we know. */
function parentContext(recorder: Recorder, given: Context): Context {
  if (factsOfSpan(trace.getSpan(given)) !== undefined) return given;
  const active = recorder.active();
  if (active === undefined || active.ended) return given;
  const span = trace.getSpan(active.recording.context);
  return span === undefined ? given : trace.setSpan(given, span);
}

/** Attributes go to the facts, and times come from the execution's clock, so that all its spans agree. */
function divert(recorder: Recorder, { span, facts }: Recording, name: string, initial?: Attributes): void {
  const { clock } = facts.execution;
  const { end, addEvent, recordException, setAttribute } = span;
  const figures = (attributes: Attributes = {}): void => {
    if (!recorder.mirrors) return;
    facts.mirrored ??= new Set();
    for (const key of Object.keys(attributes)) {
      if (!isFigure(key)) continue;
      facts.mirrored.add(key);
      setAttribute.call(span, key, attributes[key] as AttributeValue);
    }
  };
  if (recorder.mirrors) {
    const { [SPANLOOM.kind]: _kind, ...ids } = mirrorAttributes(name, facts);
    figures(ids);
  }
  figures(initial);
  span.setAttributes = (attributes) => {
    recorder.problems.guard("setAttributes", () => {
      keep(recorder, facts, attributes);
      figures(attributes);
    });
    return span;
  };
  span.setAttribute = (key, value) => span.setAttributes({ [key]: value });
  span.addEvent = (event, second, third) => {
    const [attributes, time] = isTime(second) ? [undefined, second] : [second, third];
    // Events stand on the OpenTelemetry span alone, for everybody who may see that.
    const open = recorder.captureContent && !recorder.mirrors;
    return addEvent.call(span, event, open ? attributes : figuresOf(attributes), time ?? clock.now());
  };
  span.recordException = (exception, time) => recordException.call(span, exception, time ?? clock.now());
  span.end = (time) => end.call(span, time ?? clock.now());
}

function keep(recorder: Recorder, facts: SpanFacts, attributes: Attributes = {}): void {
  for (const key of Object.keys(attributes)) {
    // Nobody can tell which of an unknown instrumentation's attributes are content.
    if (!recorder.captureContent && !isFigure(key)) continue;
    const value = attributeOf(attributes[key]);
    if (value !== undefined) setAttribute(facts.attributes, key, value);
  }
  facts.changes++;
}

function figuresOf(attributes: Attributes = {}): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => isFigure(key)));
}

function isTime(value: Attributes | TimeInput | undefined): value is TimeInput {
  return typeof value === "number" || value instanceof Date || Array.isArray(value);
}
