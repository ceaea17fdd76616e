import type { TokenUsage } from "@spanloom/model";
import type { SpanHandle } from "./span-handle.ts";

/** What one chunk of a streamed answer says. Leave out what it does not. */
export interface StreamChunk {
  /** The next piece of the answer. The first one that is not empty is the first token. */
  text?: string;
  /** Usually on the last chunk. */
  usage?: TokenUsage;
  finishReason?: string;
  /** The model that answers, where it differs from the one that was asked. */
  model?: string;
}

export interface StreamOptions<C> {
  /** Reads a chunk as the provider sends it. Without it, chunks that are text are the answer. */
  read?: (chunk: C) => StreamChunk | undefined;
  /** Ends the span with the stream: for spans that were started by hand. In a callback's span that happens by itself. */
  endSpan?: boolean;
}

/** Streams that are not over, and what is to be told when they are. */
const open = new WeakMap<object, AnswerReader<never>>();

const forgotten = new FinalizationRegistry<{ abandon(): void }>((reader) => reader.abandon());

/**
 * Gives the same chunks, errors and end, and notes on the way when the first token came, how many chunks there were, the
 * answer, its usage and why it ended. A reader who leaves early leaves a partial answer, which says so.
 */
export function traceStream<C>(
  span: SpanHandle,
  source: AsyncIterable<C>,
  options: StreamOptions<C> = {},
): AsyncIterableIterator<C> {
  const reader = new AnswerReader(span, options);
  const traced = new TracedStream(source, reader);
  open.set(traced, reader);
  forgotten.register(traced, reader, reader);
  return traced;
}

/** Calls `end` when the stream is over, if `value` is one of ours that still runs. False for anything else. */
export function afterStream(value: unknown, end: (failure?: { error: unknown }) => void): boolean {
  const reader = typeof value === "object" && value !== null ? open.get(value) : undefined;
  if (reader === undefined || reader.over) return false;
  reader.listeners.push(end);
  return true;
}

/** What is kept of a stream while it runs. Does not hold the stream itself, so that a forgotten one can be noticed. */
class AnswerReader<C> {
  over = false;
  readonly listeners: ((failure?: { error: unknown }) => void)[] = [];
  readonly #span: SpanHandle;
  readonly #read: ((chunk: C) => StreamChunk | undefined) | undefined;
  #text = "";
  #chunks = 0;

  constructor(span: SpanHandle, { read, endSpan = false }: StreamOptions<C>) {
    this.#span = span;
    this.#read = read;
    if (endSpan) this.listeners.push((failure) => endWith(span, failure));
  }

  chunk(chunk: C): void {
    this.#chunks++;
    this.#span.recorder.problems.guard("stream", () => {
      const said = this.#said(chunk);
      // Without a reader chunks say nothing of themselves: the first stands for the first token.
      if (said?.text || (this.#read === undefined && this.#chunks === 1)) this.#span.firstToken();
      if (said === undefined || said === null) return;
      if (said.text !== undefined) this.#text += said.text;
      if (said.usage !== undefined) this.#span.setUsage(said.usage);
      if (said.finishReason !== undefined) this.#span.setFinishReasons([said.finishReason]);
      if (said.model !== undefined) this.#span.setModel(said.model);
    });
  }

  #said(chunk: C): StreamChunk | undefined {
    if (this.#read === undefined) return typeof chunk === "string" ? { text: chunk } : undefined;
    try {
      return this.#read(chunk);
    } catch (error) {
      this.#span.recorder.problems.report(
        "callback_failed",
        "stream",
        "`read` failed on a chunk of a stream; the chunk is passed on.",
        error,
      );
      return undefined;
    }
  }

  complete(): void {
    this.#finish(() => {
      if (this.#text !== "") this.#span.captureResult(this.#text);
    });
  }

  fail(error: unknown): void {
    this.#finish(() => this.#keepPart("the stream failed"), { error });
  }

  abandon(): void {
    this.#finish(() => {
      this.#span.addEvent("stream.abandoned", { chunks: this.#chunks });
      this.#keepPart("the reader left the stream before its end");
    });
  }

  #keepPart(reason: string): void {
    if (this.#text !== "") this.#span.setPartialOutput(this.#text, reason);
  }

  #finish(note: () => void, failure?: { error: unknown }): void {
    if (this.over) return;
    this.over = true;
    forgotten.unregister(this);
    this.#span.recorder.problems.guard("stream", note);
    this.#span.setAttributes({ "stream.chunks": this.#chunks });
    for (const listener of this.listeners) listener(failure);
  }
}

class TracedStream<C> implements AsyncIterableIterator<C> {
  readonly #source: AsyncIterable<C>;
  readonly #reader: AnswerReader<C>;
  #iterator: AsyncIterator<C> | undefined;

  constructor(source: AsyncIterable<C>, reader: AnswerReader<C>) {
    this.#source = source;
    this.#reader = reader;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<C>> {
    try {
      const step = await this.#started().next();
      if (step.done) this.#reader.complete();
      else this.#reader.chunk(step.value);
      return step;
    } catch (error) {
      this.#reader.fail(error);
      throw error;
    }
  }

  /** What leaving a `for await` loop calls. */
  async return(value?: unknown): Promise<IteratorResult<C>> {
    this.#reader.abandon();
    const step = await this.#started().return?.(value);
    return step ?? { done: true, value };
  }

  async throw(error?: unknown): Promise<IteratorResult<C>> {
    this.#reader.fail(error);
    const iterator = this.#started();
    if (iterator.throw === undefined) throw error;
    return iterator.throw(error);
  }

  #started(): AsyncIterator<C> {
    this.#iterator ??= this.#source[Symbol.asyncIterator]();
    return this.#iterator;
  }
}

export function endWith(span: SpanHandle, failure: { error: unknown } | undefined): void {
  if (failure === undefined) span.end();
  else span.fail(failure.error);
}
