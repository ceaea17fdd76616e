import { type Context, context, type Link, type Span, SpanKind, trace } from "@opentelemetry/api";
import type { Content } from "@spanloom/model";
import { activeHandle } from "./active-place.ts";
import { captureContent } from "./capture.ts";
import type { HrTime } from "./clock.ts";
import type { SpanFacts } from "./facts.ts";
import type { OtelScope } from "./otel/otel-span.ts";
import { type Parent, type PrivateProvider, unrecordedContext } from "./otel/private-provider.ts";
import { RecordingSpan } from "./otel/recording-span.ts";
import { limitText } from "./otel/span-limits.ts";
import type { ProblemReporter } from "./problems.ts";
import type { SpanHandle } from "./span-handle.ts";

/** A span of ours that runs, with what travels beside it. */
export class Recording implements Parent {
  readonly span: Span;
  readonly facts: SpanFacts;
  readonly around: Context;
  #context: Context | undefined;

  constructor(span: Span, facts: SpanFacts, around: Context) {
    this.span = span;
    this.facts = facts;
    this.around = around;
  }

  /** OpenTelemetry's context with the span in it. Made when first asked for: most spans need none. */
  get context(): Context {
    this.#context ??= trace.setSpan(this.around, this.span);
    return this.#context;
  }
}

const SCOPE: OtelScope = { name: "@spanloom/tracer" };

/** Starts and ends spans on the private provider. */
export class Recorder {
  readonly problems: ProblemReporter;
  /** Whether return values of callbacks become outputs. */
  readonly captureResults: boolean;
  /** Whether prompts, responses, arguments, results and state are kept at all. */
  readonly captureContent: boolean;
  readonly provider: PrivateProvider;
  readonly #enabled: () => boolean;

  constructor(
    provider: PrivateProvider,
    problems: ProblemReporter,
    enabled: () => boolean,
    { captureContent = true, captureResults = true }: { captureContent?: boolean; captureResults?: boolean },
  ) {
    this.provider = provider;
    this.problems = problems;
    this.captureContent = captureContent;
    this.captureResults = captureResults;
    this.#enabled = enabled;
  }

  /** Whether an execution that starts now is recorded. `asked`: what its own options say. */
  records(asked: boolean | undefined): boolean {
    return this.problems.guard("enabled", () => (asked ?? true) && this.#enabled()) ?? true;
  }

  /** The context here. Where the host's code carries none, the span of ours that is running. */
  around(): Context {
    const here = context.active();
    const running = this.active()?.recording;
    if (!running?.facts.execution.recorded) return here;
    return trace.getSpan(here) === undefined ? running.context : here;
  }

  /** Takes a picture of a prompt, a response, a state or the like. */
  contentOf(value: unknown): Content | undefined {
    if (this.captureContent) return captureContent(value);
    return { format: "text", state: "not_captured", reason: "captureContent is off" };
  }

  /** Cuts text in attributes as the environment's limit says. */
  limit<T>(value: T): T {
    return limitText(value, this.provider.limits.valueLength);
  }

  start(
    facts: SpanFacts,
    parent: Parent,
    links?: Link[],
    startTime?: HrTime,
    kind: SpanKind = facts.kind === "llm" ? SpanKind.CLIENT : SpanKind.INTERNAL,
  ): Recording {
    if (!facts.execution.recorded) return unrecorded(facts, parent);
    try {
      const { now } = facts.execution.clock;
      const span = this.provider.start({
        name: facts.name,
        kind,
        startTime: startTime ?? now(),
        now,
        links,
        parent,
        scope: SCOPE,
        facts,
      });
      this.provider.mirror?.describe(span, facts);
      return new Recording(span, facts, parent.around);
    } catch (error) {
      this.problems.report(
        "internal",
        "span start",
        "A span could not be started; the workflow goes on.",
        error,
      );
      return unrecorded(facts, parent);
    }
  }

  end({ span, facts }: Recording): void {
    if (span instanceof RecordingSpan) this.provider.mirror?.describe(span, facts);
    span.end(facts.execution.clock.now());
  }

  /** The span of this recorder whose callback is running. */
  active(): SpanHandle | undefined {
    return activeHandle(this);
  }
}

function unrecorded(facts: SpanFacts, { span, around }: Parent): Recording {
  return new Recording(trace.wrapSpanContext(unrecordedContext(span)), facts, around);
}
