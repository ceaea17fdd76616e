import type { SpanContext } from "@opentelemetry/api";
import { type Attributes, isModelContentEvent, isModelContentKey, type SpanRecord } from "@spanloom/model";
import { createPipeline, type Pipeline, type PipelineOptions } from "@spanloom/pipeline";
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
  /** All spans of a process share them, and exporters tell them apart by their identity. */
  readonly #resources = new WeakMap<object, OtelSpan["resource"]>();
  readonly #scopes = new WeakMap<object, OtelSpan["instrumentationScope"]>();

  constructor(pipeline: Pipeline, content: boolean) {
    this.#pipeline = pipeline;
    this.#content = content;
  }

  clean<S extends OtelSpan>(span: S): S {
    const names = Object.fromEntries(span.events.map(({ name }, index) => [index, name]));
    const contexts = [
      span.spanContext(),
      span.parentSpanContext,
      ...span.links.map(({ context }) => context),
    ];
    const states = contexts.map(stateOf);
    const bags: Bag[] = [span.attributes, names, { ...states }];
    for (const { name, attributes = {} } of span.events)
      bags.push(this.#content || !isModelContentEvent(name) ? attributes : {});
    for (const { attributes = {} } of span.links) bags.push(attributes);
    const record = this.#redact(snapshot(span, undefined, 0, true), bags);
    const cleaned = record.events.map(({ attributes }, index) => restore(bags[index] ?? {}, attributes));
    const [attributes = {}, cleanNames = {}, cleanStates = {}, ...rest] = cleaned;
    // What stands between vendors is of no use with a piece missing.
    const [context = span.spanContext(), parentSpanContext, ...linked] = contexts.map((each, place) =>
      cleanStates[place] === states[place] ? each : each && { ...each, traceState: undefined },
    );
    const { message } = record.status;
    // Fields alone, not the span's class: its methods may stand on private members.
    return {
      ...span,
      name: record.name,
      kind: span.kind,
      spanContext: () => context,
      parentSpanContext,
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
        context: linked[index] ?? link.context,
        attributes: rest[span.events.length + index] ?? {},
      })),
      resource: this.#resource(span),
      instrumentationScope: this.#scope(span),
      droppedAttributesCount:
        span.droppedAttributesCount + Object.keys(span.attributes).length - Object.keys(attributes).length,
      droppedEventsCount: span.droppedEventsCount,
      droppedLinksCount: span.droppedLinksCount,
    };
  }

  #scope(span: OtelSpan): OtelSpan["instrumentationScope"] {
    const { instrumentationScope: scope } = span;
    let known = this.#scopes.get(scope);
    if (known === undefined) {
      const { name, version, schemaUrl } = this.#redact(
        snapshot(span, undefined, 0, true),
        [],
      ).instrumentation;
      const same = name === scope.name && version === (scope.version || undefined);
      known = same && schemaUrl === (scope.schemaUrl || undefined) ? scope : { name, version, schemaUrl };
      this.#scopes.set(scope, known);
    }
    return known;
  }

  #resource(span: OtelSpan): OtelSpan["resource"] {
    const { resource } = span;
    let known = this.#resources.get(resource);
    if (known === undefined) {
      const record = this.#redact(snapshot(span, undefined, 0, true), [resource.attributes]);
      const { schemaUrl } = record.resource;
      const attributes = restore(resource.attributes, record.events[0]?.attributes ?? {});
      const same =
        schemaUrl === (resource.schemaUrl || undefined) &&
        Object.keys(resource.attributes).every((key) => attributes[key] === resource.attributes[key]);
      known = same ? resource : { ...resource, attributes, schemaUrl };
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

function stateOf(context: SpanContext | undefined): string {
  return context?.traceState?.serialize() ?? "";
}

function withoutContent(bag: Bag): Bag {
  return Object.fromEntries(Object.entries(bag).filter(([key]) => !isModelContentKey(key)));
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
