import {
  type Attributes,
  millisBetween,
  NOT_PERMITTED,
  type SpanEvent,
  type SpanRecord,
} from "@spanloom/model";
import { useFormat } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { useTraceMessages } from "../use-trace-messages.ts";
import { CopyButton } from "./CopyButton.tsx";
import { LongText } from "./LongText.tsx";
import { ValueTable } from "./ValueTable.tsx";
import { Withheld } from "./Withheld.tsx";

export function EventsTab({ span }: { span: SpanRecord }): ReactElement {
  const t = useTraceMessages();
  const format = useFormat();
  return (
    <>
      {span.events.length === 0 ? (
        <section className="sl-trace-section">
          <p className="sl-trace-dim">{t("trace.noEvents")}</p>
        </section>
      ) : (
        span.events.map((event, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: events have no identity but their place
          <EventView key={at} event={event} span={span} />
        ))
      )}
      {span.dropped?.events ? (
        <p className="sl-trace-dim">
          {t("trace.dropped.events", { number: format.count(span.dropped.events) })}
        </p>
      ) : null}
    </>
  );
}

/** Exceptions follow OpenTelemetry's exception conventions: `exception.type`, `.message`, `.stacktrace`. */
const EXCEPTION_KEYS = ["exception.type", "exception.message", "exception.stacktrace"] as const;

function EventView({ event, span }: { event: SpanEvent; span: SpanRecord }): ReactElement {
  const t = useTraceMessages();
  const format = useFormat();
  const [type, message, stack] = EXCEPTION_KEYS.map((key) => textAt(event.attributes, key));
  const isException = type !== undefined || message !== undefined || stack !== undefined;
  const rest = Object.fromEntries(
    Object.entries(event.attributes).filter(([key]) => !EXCEPTION_KEYS.some((known) => known === key)),
  );
  return (
    <section className="sl-trace-section">
      <div className="sl-trace-section-head">
        <h4 className={isException ? "sl-trace-exception" : undefined}>
          <bdi>{isException ? (type ?? event.name) : event.name || t("trace.unnamed")}</bdi>
        </h4>
        <span className="sl-trace-dim" title={format.time(event.time)}>
          {t("trace.after", { duration: format.duration(millisBetween(span.startTime, event.time)) })}
        </span>
        {stack === undefined || stack === NOT_PERMITTED ? null : (
          <CopyButton label={t("trace.stack")} text={stack} />
        )}
      </div>
      {message === NOT_PERMITTED || stack === NOT_PERMITTED ? <Withheld /> : null}
      {message === undefined || message === NOT_PERMITTED ? null : <LongText text={message} />}
      {stack === undefined || stack === NOT_PERMITTED ? null : <LongText text={stack} mono />}
      {Object.keys(rest).length === 0 ? null : (
        <ValueTable attributes={rest} label={event.name || t("trace.unnamed")} />
      )}
    </section>
  );
}

function textAt(attributes: Attributes, key: string): string | undefined {
  const value = attributes[key];
  return typeof value === "string" ? value : undefined;
}
