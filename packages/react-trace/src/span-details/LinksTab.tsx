import type { SpanRecord } from "@spanloom/model";
import { CorrelationChip, useFormat } from "@spanloom/react-core";
import type { ReactElement, ReactNode } from "react";
import { useTraceMessages } from "../use-trace-messages.ts";
import { ValueTable } from "./ValueTable.tsx";

/** Who this span is, what it points at, and who recorded it. */
export function LinksTab({ span }: { span: SpanRecord }): ReactElement {
  const t = useTraceMessages();
  const format = useFormat();
  const { instrumentation } = span;
  const resource = span.resource.attributes;
  return (
    <>
      <section className="sl-trace-section">
        <h4>{t("trace.ids")}</h4>
        <dl className="sl-trace-ids">
          <Row name={t("trace.id.trace")}>
            <CorrelationChip id={span.traceId} kind="trace" />
          </Row>
          <Row name={t("trace.id.span")}>
            <CorrelationChip id={span.spanId} kind="span" />
          </Row>
          <Row name={t("trace.id.parent")}>
            <CorrelationChip id={span.parentSpanId} kind="span" />
          </Row>
          <Row name={t("trace.id.execution")}>
            <CorrelationChip id={span.executionId} kind="execution" />
          </Row>
          <TextRow name={t("trace.id.workflow")} text={span.workflowId} />
          <TextRow name={t("trace.id.thread")} text={span.threadId} />
          <TextRow name={t("trace.id.node")} text={span.nodeId} />
          <TextRow name={t("trace.id.nodeType")} text={span.nodeType} />
          <TextRow name={t("trace.provider")} text={span.provider} />
          <TextRow
            name={t("trace.source")}
            text={[instrumentation.name, instrumentation.version].filter(Boolean).join(" ")}
          />
        </dl>
      </section>
      <section className="sl-trace-section">
        <h4>{t("trace.spanLinks")}</h4>
        {span.links.length === 0 ? <p className="sl-trace-dim">{t("trace.noLinks")}</p> : null}
        {span.links.map((link, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same span may be linked twice
          <div key={at} className="sl-trace-span-link">
            <p>
              <CorrelationChip id={link.traceId} kind="trace" />{" "}
              <CorrelationChip id={link.spanId} kind="span" />
            </p>
            {Object.keys(link.attributes).length === 0 ? null : (
              <ValueTable attributes={link.attributes} label={t("trace.spanLinks")} />
            )}
          </div>
        ))}
        {span.dropped?.links ? (
          <p className="sl-trace-dim">
            {t("trace.dropped.links", { number: format.count(span.dropped.links) })}
          </p>
        ) : null}
      </section>
      {Object.keys(resource).length === 0 ? null : (
        <section className="sl-trace-section">
          <h4>{t("trace.resource")}</h4>
          <ValueTable attributes={resource} label={t("trace.resource")} />
        </section>
      )}
    </>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function TextRow({ name, text }: { name: string; text: string | undefined }): ReactElement | null {
  if (text === undefined || text === "") return null;
  return (
    <Row name={name}>
      <bdi>{text}</bdi>
    </Row>
  );
}
