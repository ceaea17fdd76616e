import type { SpanRecord } from "@spanloom/model";
import { useFormat } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { useTraceMessages } from "../use-trace-messages.ts";
import { rulesText } from "./CaptureNote.tsx";
import { CopyButton } from "./CopyButton.tsx";
import { prettyJson } from "./pretty-json.ts";
import { ValueTable } from "./ValueTable.tsx";

/** What no dialect knew, as it came, and what was taken out of it. */
export function AttributesTab({ span }: { span: SpanRecord }): ReactElement {
  const t = useTraceMessages();
  const format = useFormat();
  const rules = rulesText(span.redactions, t);
  const empty = Object.keys(span.attributes).length === 0;
  return (
    <section className="sl-trace-section">
      <div className="sl-trace-section-head">
        <h4>{t("trace.tabAttributes")}</h4>
        {rules === undefined ? null : (
          <span className="sl-trace-state sl-trace-state-redacted">{t("trace.redactions", { rules })}</span>
        )}
        {empty ? null : <CopyButton label={t("trace.attributesJson")} text={prettyJson(span.attributes)} />}
      </div>
      {empty ? (
        <p className="sl-trace-dim">{t("trace.noAttributes")}</p>
      ) : (
        <ValueTable attributes={span.attributes} label={t("trace.tabAttributes")} />
      )}
      {span.dropped?.attributes ? (
        <p className="sl-trace-dim">
          {t("trace.dropped.attributes", { number: format.count(span.dropped.attributes) })}
        </p>
      ) : null}
    </section>
  );
}
