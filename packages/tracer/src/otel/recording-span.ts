import type {
  Attributes,
  AttributeValue,
  Exception,
  Link,
  Span,
  SpanContext,
  SpanKind,
  SpanStatus,
  TimeInput,
} from "@opentelemetry/api";
import type { HrTime } from "../clock.ts";
import type { OtelScope } from "./otel-span.ts";
import type { OtelResource } from "./resource.ts";
import { limitText, type SpanLimits } from "./span-limits.ts";

/** What a span needs of the provider that started it. */
export interface SpanHome {
  readonly resource: OtelResource;
  readonly limits: SpanLimits;
  onEnding(span: RecordingSpan): void;
  onEnd(span: RecordingSpan): void;
}

/** What whoever starts a span says of it. */
export interface SpanParts {
  name: string;
  kind: SpanKind;
  startTime: HrTime;
  now: () => HrTime;
  scope: OtelScope;
}

interface TimedEvent {
  name: string;
  time: HrTime;
  attributes: Attributes;
  droppedAttributesCount: number;
}

/**
 * A span behind OpenTelemetry's API, with the fields that processors and exporters of its 2.x and 3.x SDKs read. Our own,
 * so that a host needs no SDK, and its SDK's line does not matter. Source: OpenTelemetry specification, "Trace API".
 */
export class RecordingSpan implements Span {
  name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext: SpanContext | undefined;
  readonly startTime: HrTime;
  endTime: HrTime = [0, 0];
  ended = false;
  status: SpanStatus = { code: 0 };
  readonly attributes: Attributes = {};
  readonly events: TimedEvent[] = [];
  readonly links: Link[] = [];
  readonly instrumentationScope: OtelScope;
  droppedAttributesCount = 0;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
  readonly home: SpanHome;
  /** How many spans of this kind stand above it. */
  readonly depth: number;
  /** Spans of one execution share its clock. */
  readonly now: () => HrTime;
  readonly #context: SpanContext;
  #attributeCount = 0;

  constructor(
    home: SpanHome,
    { scope, name, kind, startTime, now }: SpanParts,
    context: SpanContext,
    parent: SpanContext | undefined,
    depth: number,
  ) {
    this.home = home;
    this.instrumentationScope = scope;
    this.name = name;
    this.kind = kind;
    this.#context = context;
    this.parentSpanContext = parent;
    this.depth = depth;
    this.startTime = startTime;
    this.now = now;
  }

  get resource(): OtelResource {
    return this.home.resource;
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (this.ended || value === undefined || value === null || key === "") return this;
    const { attributes, valueLength } = this.home.limits;
    if (!Object.hasOwn(this.attributes, key)) {
      if (this.#attributeCount >= attributes) {
        this.droppedAttributesCount++;
        return this;
      }
      this.#attributeCount++;
    }
    this.attributes[key] = limitText(value, valueLength);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const key of Object.keys(attributes)) this.setAttribute(key, attributes[key] as AttributeValue);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.ended) return this;
    const { events, valueLength } = this.home.limits;
    if (this.events.length >= events) {
      this.droppedEventsCount++;
      return this;
    }
    const given: Attributes = isTime(attributesOrTime) ? {} : (attributesOrTime ?? {});
    const attributes: Attributes = {};
    for (const key of Object.keys(given)) attributes[key] = limitText(given[key], valueLength);
    const at = isTime(attributesOrTime) ? attributesOrTime : time;
    this.events.push({ name, attributes, time: this.#time(at), droppedAttributesCount: 0 });
    return this;
  }

  addLink(link: Link): this {
    if (this.ended) return this;
    if (this.links.length >= this.home.limits.links) this.droppedLinksCount++;
    else this.links.push(link);
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  setStatus({ code, message }: SpanStatus): this {
    // `ok` is final: it is only said by people.
    if (this.ended || code === 0 || this.status.code === 1) return this;
    this.status = code === 2 && message !== undefined ? { code, message: String(message) } : { code };
    return this;
  }

  updateName(name: string): this {
    if (!this.ended) this.name = name;
    return this;
  }

  /** Source: OpenTelemetry semantic conventions for exceptions. */
  recordException(exception: Exception, time?: TimeInput): void {
    const { name, code, message, stack } = typeof exception === "string" ? { message: exception } : exception;
    const type = code ?? name;
    this.addEvent(
      "exception",
      {
        ...(type !== undefined && { "exception.type": String(type) }),
        ...(message !== undefined && { "exception.message": message }),
        ...(stack !== undefined && { "exception.stacktrace": stack }),
      },
      time,
    );
  }

  end(endTime?: TimeInput): void {
    if (this.ended) return;
    this.home.onEnding(this);
    const end = this.#time(endTime);
    const [seconds, nanos] = this.startTime;
    // A clock that somebody set back must not make a span end before it began.
    this.endTime = end[0] < seconds || (end[0] === seconds && end[1] < nanos) ? this.startTime : end;
    this.ended = true;
    this.home.onEnd(this);
  }

  #time(time: TimeInput | undefined): HrTime {
    return time === undefined ? this.now() : hrTime(time);
  }
}

function isTime(value: unknown): value is TimeInput {
  return typeof value === "number" || value instanceof Date || Array.isArray(value);
}

/** Numbers below are milliseconds of `performance.now()`, those above since 1970: no process runs for three years. */
const EPOCH_FROM_MS = 1e11;

/** OpenTelemetry takes seconds and nanoseconds, a date, milliseconds since the epoch, or those of `performance.now()`. */
export function hrTime(time: TimeInput): HrTime {
  if (Array.isArray(time)) return time;
  const isUptime = typeof time === "number" && time < EPOCH_FROM_MS;
  const ms = isUptime ? performance.timeOrigin + time : Number(time);
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * 1e6)];
}
