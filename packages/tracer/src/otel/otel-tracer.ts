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
import { exactContext } from "../active-place.ts";
import type { WorkflowTracer } from "../create-workflow-tracer.ts";
import { unnamedExecution } from "../execution.ts";
import { SpanFacts } from "../facts.ts";
import type { Recorder, Recording } from "../recorder.ts";
import { SpanHandle } from "../span-handle.ts";
import { isFigure } from "./figures.ts";
import { mirrorAttributes } from "./mirror-attributes.ts";
import { parentIn } from "./private-provider.ts";
import { hrTime } from "./recording-span.ts";
import { attributeOf, setAttribute } from "./snapshot.ts";

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
  const { within, above } =
    options.root === true ? { within: trace.deleteSpan(given) } : placeIn(recorder, given);
  const facts = new SpanFacts(above?.execution ?? unnamedExecution(recorder), "internal", above?.node, name);
  recorder.problems.guard("span start", () => keep(recorder, facts, options.attributes));
  const { links, startTime, kind } = options;
  const startedAt = startTime === undefined ? undefined : hrTime(startTime);
  const recording = recorder.start(facts, parentIn(within), links, startedAt, kind);
  if (recording.span.isRecording()) divert(recorder, recording, options.attributes);
  return new SpanHandle(recorder, recording);
}

interface Place {
  within: Context;
  /** What travels beside the span that is the parent, where it is one of ours. */
  above?: SpanFacts | undefined;
}

/** A context that holds a span of ours says best where we are; without a context manager only we know. */
function placeIn(recorder: Recorder, given: Context): Place {
  const active = recorder.active();
  const running = active === undefined || active.ended ? undefined : active.recording;
  // Where recording is switched off no context says so.
  if (running?.facts.execution.recorded !== false) {
    const within = exactContext(given);
    const above = recorder.provider.store.factsOf(trace.getSpan(within));
    if (above !== undefined || running === undefined) return { within, above };
  }
  return { within: trace.setSpan(given, running.span), above: running.facts };
}

/** Attributes go to the facts. */
function divert(recorder: Recorder, { span, facts }: Recording, initial?: Attributes): void {
  const { addEvent, setAttribute } = span;
  const figures = (attributes: Attributes = {}): void => {
    if (recorder.provider.mirror === undefined) return;
    facts.mirrored ??= new Set();
    for (const key of Object.keys(attributes)) {
      if (!isFigure(key)) continue;
      facts.mirrored.add(key);
      setAttribute.call(span, key, attributes[key] as AttributeValue);
    }
  };
  if (recorder.provider.mirror !== undefined) {
    const { [SPANLOOM.kind]: _kind, ...ids } = mirrorAttributes(facts);
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
    const open = recorder.captureContent && recorder.provider.mirror === undefined;
    return addEvent.call(span, event, open ? attributes : figuresOf(attributes), time);
  };
}

function keep(recorder: Recorder, facts: SpanFacts, attributes: Attributes = {}): void {
  for (const key of Object.keys(attributes)) {
    // Nobody can tell which of an unknown instrumentation's attributes are content.
    if (!recorder.captureContent && !isFigure(key)) continue;
    const value = attributeOf(attributes[key]);
    if (value !== undefined) setAttribute(facts.attributes, key, recorder.limit(value));
  }
  facts.changes++;
}

function figuresOf(attributes: Attributes = {}): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => isFigure(key)));
}

function isTime(value: Attributes | TimeInput | undefined): value is TimeInput {
  return typeof value === "number" || value instanceof Date || Array.isArray(value);
}
