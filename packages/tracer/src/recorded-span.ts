import { type Artifact, type CacheAccess, nanoUsdFromUsd, type TokenUsage } from "@spanloom/model";
import { nanosFromHrTime } from "./clock.ts";
import type { SpanFacts } from "./facts.ts";
import { describeError, isCancellation } from "./failure.ts";
import { setModel } from "./llm.ts";
import { linkTo } from "./otel/link-to.ts";
import { attributeOf, setAttribute } from "./otel/snapshot.ts";
import type { Recorder, Recording } from "./recorder.ts";
import { isCount, safeArtifact, safeCacheAccess, safeName, safeUsage } from "./safe.ts";

/** How a span that is ended by hand came out. */
export interface EndOptions {
  /** The response, result or state; the same as `setOutput` just before. */
  output?: unknown;
}

/**
 * A span that runs. Every method may be called at any time, after the end too, and never throws. Setters give the handle
 * back, so that they chain.
 */
export class RecordedSpan {
  /** @internal */
  readonly recorder: Recorder;
  /** @internal */
  readonly recording: Recording;
  /** @internal */
  onEnded: (() => void) | undefined;
  #ended = false;

  /** @internal */
  constructor(recorder: Recorder, recording: Recording) {
    this.recorder = recorder;
    this.recording = recording;
  }

  /** 32 hex digits. A UUIDv4 without dashes, unless the execution joined a trace of the host. */
  get traceId(): string {
    return this.recording.span.spanContext().traceId;
  }

  /** 16 hex digits. */
  get spanId(): string {
    return this.recording.span.spanContext().spanId;
  }

  /** The execution's, if it was given one: pass it on to whatever can be stopped. */
  get signal(): AbortSignal | undefined {
    return this.recording.facts.execution.signal;
  }

  /** What the span was given: a prompt, arguments, state. A string, chat messages (`role` and `content`), or any JSON. */
  setInput(input: unknown): this {
    return this.#set("setInput", (facts) => {
      facts.input = this.recorder.contentOf(input);
    });
  }

  /** What it gave: a response, a result, new state. The same forms as an input. */
  setOutput(output: unknown): this {
    return this.#set("setOutput", (facts) => {
      facts.output = this.recorder.contentOf(output);
    });
  }

  /** The workflow's state before and after this span. */
  setState(state: { before?: unknown; after?: unknown }): this {
    return this.#set("setState", (facts) => {
      if (state.before !== undefined) facts.stateBefore = this.recorder.contentOf(state.before);
      if (state.after !== undefined) facts.stateAfter = this.recorder.contentOf(state.after);
    });
  }

  /** Token counts; `input` includes cached tokens, `output` includes reasoning. Leave unknown ones out. */
  setUsage(usage: TokenUsage): this {
    return this.#set("setUsage", (facts) => {
      facts.usage = { ...facts.usage, ...safeUsage(usage, this.recorder.problems) };
    });
  }

  /** The provider's own figure in US dollars. It stands before what the price table would say. */
  setCost(usd: number): this {
    return this.#set("setCost", (facts) => {
      const nanoUsd = nanoUsdFromUsd(usd);
      if (isCount(nanoUsd)) facts.cost = { nanoUsd, source: "reported" };
      else
        this.recorder.problems.report(
          "invalid_argument",
          "setCost",
          "A cost was no amount of US dollars >= 0; it was left out.",
        );
    });
  }

  /** The model that answered, where it differs from the one that was asked for. */
  setModel(model: string, provider?: string): this {
    return this.#set("setModel", (facts) => {
      setModel(facts, model, provider);
    });
  }

  /** Why the model stopped, such as `stop` or `tool_calls`. */
  setFinishReasons(reasons: readonly string[]): this {
    return this.#set("setFinishReasons", (facts) => {
      facts.finishReasons = Array.from(reasons, String);
    });
  }

  /** The first token of a streamed answer came just now. Later calls change nothing. */
  firstToken(): this {
    return this.#set("firstToken", (facts) => {
      facts.firstTokenTime ??= nanosFromHrTime(facts.execution.clock.now());
    });
  }

  /** Facts about the span, of any JSON value. For prompts, results and state use `setInput` and `setOutput`. */
  setAttributes(attributes: Record<string, unknown>): this {
    if (this.#ended) return this;
    try {
      const { facts } = this.recording;
      for (const key of Object.keys(attributes)) {
        const json = attributeOf(attributes[key]);
        if (json !== undefined) setAttribute(facts.attributes, key, this.recorder.limit(json));
      }
      facts.changes++;
    } catch (error) {
      this.recorder.problems.report("internal", "setAttributes", "Attributes could not be read.", error);
    }
    return this;
  }

  /** Something that happened at one moment. */
  addEvent(name: string, attributes?: Record<string, string | number | boolean>): this {
    return this.#set("addEvent", (facts) => {
      this.recording.span.addEvent(safeName(name, "event"), attributes, facts.execution.clock.now());
    });
  }

  /** Points at a span elsewhere that this one has to do with: what caused it, or what it goes on from. */
  addLink(
    span: { traceId: string; spanId: string },
    attributes?: Record<string, string | number | boolean>,
  ): this {
    return this.#set("addLink", () => {
      const link = linkTo(span, attributes, this.recorder.problems);
      if (link !== undefined) this.recording.span.addLink(link);
    });
  }

  /** A file that the span made or used. Its bytes stay with the host. */
  artifact(artifact: Artifact): this {
    return this.#set("artifact", (facts) => {
      const safe = safeArtifact(artifact, this.recorder.problems);
      facts.artifacts ??= [];
      facts.artifacts.push(safe);
    });
  }

  /** An access to a cache, by the family of its keys: `cache({ keyspace: "mcp:tree:*", hits: 1, misses: 0 })`. */
  cache(access: CacheAccess): this {
    return this.#set("cache", (facts) => {
      const safe = safeCacheAccess(access, this.recorder.problems);
      if (safe === undefined) return;
      facts.cache ??= [];
      const known = facts.cache.find(({ keyspace }) => keyspace === safe.keyspace);
      if (known === undefined) facts.cache.push(safe);
      else {
        known.hits += safe.hits;
        known.misses += safe.misses;
      }
    });
  }

  /** Ends the span well. Only the first `end` or `fail` counts. */
  end(options?: EndOptions): void {
    if (options !== undefined)
      this.#set("end", () => {
        if (options.output !== undefined) this.setOutput(options.output);
      });
    this.#finish("end");
  }

  /** Records the error and ends the span. The error itself is not touched. */
  fail(error: unknown): void {
    this.#set("fail", (facts) => {
      const { span } = this.recording;
      // An abort is a decision, not a fault, but the span did not do its work.
      const { message, exception } = describeError(error);
      span.recordException(exception, facts.execution.clock.now());
      span.setStatus({
        code: 2,
        message: isCancellation(error, this.signal) ? `cancelled: ${message}` : message,
      });
    });
    this.#finish("fail");
  }

  /** True after `end` or `fail`. */
  get ended(): boolean {
    return this.#ended;
  }

  /** @internal What came of an answer that nobody read to its end. */
  setPartialOutput(text: string, reason: string): this {
    return this.#set("setPartialOutput", (facts) => {
      const content = this.recorder.contentOf(text);
      facts.output = content?.state === "captured" ? { ...content, state: "truncated", reason } : content;
    });
  }

  /** @internal Takes a callback's result as the output, unless one was set. */
  captureResult(result: unknown): void {
    const wanted = this.recorder.captureResults && this.recording.facts.output === undefined;
    if (wanted && result !== undefined) this.setOutput(result);
  }

  /** @internal */
  prepare(input: unknown, attributes: Record<string, unknown> | undefined): this {
    if (input !== undefined) this.setInput(input);
    if (attributes !== undefined) this.setAttributes(attributes);
    return this;
  }

  #finish(where: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.recorder.problems.guard(where, () => this.recorder.end(this.recording));
    this.onEnded?.();
  }

  #set(where: string, change: (facts: SpanFacts) => void): this {
    if (!this.#ended) {
      this.recorder.problems.guard(where, () => {
        change(this.recording.facts);
        this.recording.facts.changes++;
      });
    }
    return this;
  }
}
