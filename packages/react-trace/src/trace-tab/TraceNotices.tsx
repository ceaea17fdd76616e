import { PartialNotice, type TraceState, useFormat } from "@spanloom/react-core";
import type { ReactElement } from "react";
import type { TraceModel } from "../layout/trace-model.ts";
import { useTraceMessages } from "../use-trace-messages.ts";

/** What the reader must know before trusting the tree: parts that are missing, stale or out of place. */
export function TraceNotices({
  trace,
  model,
}: {
  trace: TraceState;
  model: TraceModel;
}): ReactElement | null {
  const t = useTraceMessages();
  const format = useFormat();
  const loaded = format.count(trace.spans.length);
  const total = format.count(trace.spanCount);
  const misplaced = (["orphans", "cycles", "duplicates"] as const).filter((key) => model[key] > 0);
  return (
    <>
      {trace.complete ? null : (
        <PartialNotice>
          {t(trace.error === undefined ? "trace.partial" : "trace.partialStopped", { loaded, total })}
        </PartialNotice>
      )}
      {trace.live === "reconnecting" ? <PartialNotice>{t("trace.stale")}</PartialNotice> : null}
      {misplaced.length === 0 ? null : (
        <PartialNotice>
          {misplaced
            .map((key) => t(`trace.${key}`, { count: model[key], number: format.count(model[key]) }))
            .join(" ")}
        </PartialNotice>
      )}
    </>
  );
}
