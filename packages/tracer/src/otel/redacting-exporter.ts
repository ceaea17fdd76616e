import type { Attributes, SpanRecord } from "@spanloom/model";
import { createPipeline, type Pipeline, type PipelineOptions } from "@spanloom/pipeline";
import { isContentEvent, isContentKey } from "./content-keys.ts";
import type { OtelSpan } from "./otel-span.ts";
import { attributesOf, snapshot } from "./snapshot.ts";
import { markWrapped } from "./wrapped-exporters.ts";

/** A span exporter of either SDK line, by its shape. */
export interface OtelSpanExporter<S> {
  export(spans: S[], done: (result: { code: number; error?: Error }) => void): void;
  shutdown(): Promise<void>;
  forceFlush?(): Promise<void>;
}

export interface RedactingExporterOptions {
  /** The host's rules, as the tracer takes them. */
  redaction?: Exclude<PipelineOptions["redaction"], false>;
  /** Lets prompts, answers, arguments and results pass, without the secrets in them. Default false. */
  content?: boolean;
}

/**
 * Wraps an exporter of the host, 2.x or 3.x: spans of other instrumentations leave it without prompts, answers, arguments
 * and results, and without secrets in any other field. Keys and figures stay as they are, so that dashboards go on.
 */
export function redactingExporter<S extends OtelSpan>(
  exporter: OtelSpanExporter<S>,
  { redaction, content = false }: RedactingExporterOptions = {},
): OtelSpanExporter<S> {
  const cleaner = new SpanCleaner(
    createPipeline({ ...(redaction && { redaction }), pricing: false }),
    content,
  );
  const wrapper: OtelSpanExporter<S> = {
    export: (spans, done) =>
      exporter.export(
        spans.map((span) => cleaner.clean(span)),
        done,
      ),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
  markWrapped(wrapper);
  return wrapper;
}

type Bag = Readonly<Record<string, unknown>>;

class SpanCleaner {
  readonly #pipeline: Pipeline;
  readonly #content: boolean;
  /** All spans of a process share it, and exporters tell resources apart by their identity. */
  readonly #resources = new WeakMap<object, OtelSpan["resource"]>();

  constructor(pipeline: Pipeline, content: boolean) {
    this.#pipeline = pipeline;
    this.#content = content;
  }

  clean<S extends OtelSpan>(span: S): S {
    const names = Object.fromEntries(span.events.map(({ name }, index) => [index, name]));
    const bags: Bag[] = [span.attributes, names];
    for (const { name, attributes = {} } of span.events)
      bags.push(this.#content || !isContentEvent(name) ? attributes : {});
    for (const { attributes = {} } of span.links) bags.push(attributes);
    const record = this.#redact(snapshot(span, undefined, 0, true), bags);
    const cleaned = record.events.map(({ attributes }, index) => restore(bags[index] ?? {}, attributes));
    const [attributes = {}, cleanNames = {}, ...rest] = cleaned;
    const context = span.spanContext();
    const { message } = record.status;
    // Fields alone, not the span's class: its methods may stand on private members.
    return {
      ...span,
      name: record.name,
      kind: span.kind,
      spanContext: () => context,
      parentSpanContext: span.parentSpanContext,
      startTime: span.startTime,
      endTime: span.endTime,
      duration: Reflect.get(span, "duration"),
      ended: true,
      status: message === undefined ? { code: span.status.code } : { code: span.status.code, message },
      attributes,
      events: span.events.map((event, index) => ({
        ...event,
        name: String(cleanNames[index] ?? event.name),
        attributes: rest[index] ?? {},
      })),
      links: span.links.map((link, index) => ({
        ...link,
        attributes: rest[span.events.length + index] ?? {},
      })),
      resource: this.#resource(span),
      instrumentationScope: span.instrumentationScope,
      droppedAttributesCount:
        span.droppedAttributesCount + Object.keys(span.attributes).length - Object.keys(attributes).length,
      droppedEventsCount: span.droppedEventsCount,
      droppedLinksCount: span.droppedLinksCount,
    };
  }

  #resource(span: OtelSpan): OtelSpan["resource"] {
    const { resource } = span;
    let known = this.#resources.get(resource);
    if (known === undefined) {
      const record = this.#redact(snapshot(span, undefined, 0, true), [resource.attributes]);
      const attributes = restore(resource.attributes, record.events[0]?.attributes ?? {});
      const same = Object.keys(resource.attributes).every(
        (key) => attributes[key] === resource.attributes[key],
      );
      known = same ? resource : { ...resource, attributes };
      this.#resources.set(resource, known);
    }
    return known;
  }

  /** Attributes stand in events meanwhile: the pipeline moves the keys that it knows out of `attributes`. */
  #redact(record: SpanRecord, bags: readonly Bag[]): SpanRecord {
    const events = bags.map((bag) => ({
      name: "attributes",
      time: record.startTime,
      attributes: attributesOf(this.#content ? bag : withoutContent(bag)),
    }));
    return this.#pipeline.clean({ ...record, attributes: {}, links: [], events });
  }
}

function withoutContent(bag: Bag): Bag {
  return Object.fromEntries(Object.entries(bag).filter(([key]) => !isContentKey(key)));
}

/** What redaction left as it was keeps its own form: exporters know it better than JSON. */
function restore(bag: Bag, cleaned: Attributes): Bag {
  const before = attributesOf(bag);
  return Object.fromEntries(
    Object.entries(cleaned).map(([key, value]) => {
      const same = value === before[key] || JSON.stringify(value) === JSON.stringify(before[key]);
      return [key, same ? bag[key] : value];
    }),
  );
}
