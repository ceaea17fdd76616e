import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  type Link,
  type Span,
  SpanKind,
  type SpanOptions,
  type TimeInput,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { SpanFacts } from "./facts.ts";
import { mirrorAttributes } from "./otel/mirror-attributes.ts";
import type { StoreSpanProcessor } from "./otel/store-span-processor.ts";
import type { ProblemReporter } from "./problems.ts";
import type { SpanHandle } from "./span-handle.ts";

/** A span of ours that runs, with what travels beside it. */
export class Recording {
  readonly span: Span;
  readonly facts: SpanFacts;
  readonly #within: Context;
  #context: Context | undefined;

  constructor(span: Span, facts: SpanFacts, within: Context) {
    this.span = span;
    this.facts = facts;
    this.#within = within;
  }

  /** OpenTelemetry's context with the span in it. Made when first asked for: a leaf needs none. */
  get context(): Context {
    this.#context ??= trace.setSpan(this.#within, this.span);
    return this.#context;
  }
}

/** What one host callback runs under, so that code below it finds its place. */
const active = new AsyncLocalStorage<{ recorder: Recorder; handle: SpanHandle }>();

/** Starts and ends spans on the private provider. */
export class Recorder {
  readonly problems: ProblemReporter;
  /** Whether return values of callbacks become outputs. */
  readonly captureResults: boolean;
  /** Whether prompts, responses, arguments, results and state are kept at all. */
  readonly captureContent: boolean;
  readonly #tracer: Tracer;
  readonly #processor: StoreSpanProcessor;
  /** Whether processors of the host see our spans: ids and figures then stand on them as attributes, too. */
  readonly mirrors: boolean;

  constructor(parts: {
    tracer: Tracer;
    processor: StoreSpanProcessor;
    problems: ProblemReporter;
    captureResults: boolean;
    captureContent: boolean;
    mirror: boolean;
  }) {
    this.#tracer = parts.tracer;
    this.#processor = parts.processor;
    this.problems = parts.problems;
    this.captureResults = parts.captureResults;
    this.captureContent = parts.captureContent;
    this.mirrors = parts.mirror;
  }

  /** `within`: the context that holds the parent's span, or none for the root of a new trace. */
  start(
    name: string,
    facts: SpanFacts,
    within: Context,
    links?: Link[],
    startTime?: TimeInput,
    kind: SpanKind | undefined = facts.kind === "llm" ? SpanKind.CLIENT : undefined,
  ): Recording {
    try {
      const options: SpanOptions = { startTime: startTime ?? facts.execution.clock.now() };
      if (links !== undefined) options.links = links;
      if (kind !== undefined) options.kind = kind;
      this.#processor.expect(facts);
      const span = this.#tracer.startSpan(name, options, within);
      if (this.mirrors) this.#mirrorTo(span, name, facts);
      return new Recording(span, facts, within);
    } catch (error) {
      this.problems.report(
        "internal",
        "span start",
        "A span could not be started; the workflow goes on.",
        error,
      );
      return new Recording(trace.wrapSpanContext(INVALID_SPAN_CONTEXT), facts, within);
    } finally {
      // A span that is not recorded never asks for them.
      this.#processor.expect(undefined);
    }
  }

  end({ span, facts }: Recording, name: string): void {
    if (this.mirrors) this.#mirrorTo(span, name, facts);
    span.end(facts.execution.clock.now());
  }

  /** Runs the host's code so that spans started below it, ours and those of other instrumentations, find their parent. */
  run<T>(handle: SpanHandle, work: () => T): T {
    return active.run({ recorder: this, handle }, () => context.with(handle.recording.context, work));
  }

  /** The span of this recorder whose callback is running. */
  active(): SpanHandle | undefined {
    const current = active.getStore();
    return current?.recorder === this ? current.handle : undefined;
  }

  #mirrorTo(span: Span, name: string, facts: SpanFacts): void {
    const attributes = mirrorAttributes(name, facts);
    facts.mirrored ??= new Set();
    for (const key of Object.keys(attributes)) facts.mirrored.add(key);
    span.setAttributes(attributes);
  }
}
