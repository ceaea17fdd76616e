import { type Format, useFormat } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { percentOf, type TimeScale } from "../layout/time-scale.ts";
import { type TraceTranslate, useTraceMessages } from "../use-trace-messages.ts";

/** Times along the head of the timeline column. */
export function TimelineTicks({ scale }: { scale: TimeScale }): ReactElement {
  const format = useFormat();
  const t = useTraceMessages();
  return (
    <>
      {scale.ticksMs.map((tick) => (
        <span
          key={tick}
          className="sl-trace-tick"
          style={{ insetInlineStart: `${percentOf(scale, tick)}%` }}
          aria-hidden="true"
        >
          {tickText(tick, format, t)}
        </span>
      ))}
    </>
  );
}

/** Hairlines behind the bars, one element each for all rows together. */
export function TimelineLines({ scale }: { scale: TimeScale }): ReactElement {
  return (
    <div className="sl-trace-lines" aria-hidden="true">
      {scale.ticksMs.map((tick) => (
        <span
          key={tick}
          className="sl-trace-line"
          style={{ insetInlineStart: `${percentOf(scale, tick)}%` }}
        />
      ))}
    </div>
  );
}

/** Round times without their zeros: `5 m`, not `5 m 0 s`. */
function tickText(ms: number, format: Format, t: TraceTranslate): string {
  if (ms === 0) return "0";
  if (ms % 86_400_000 === 0) return t("trace.tickDays", { value: format.count(ms / 86_400_000) });
  if (ms % 3_600_000 === 0) return t("trace.tickHours", { value: format.count(ms / 3_600_000) });
  if (ms % 60_000 === 0 && ms < 3_600_000)
    return t("trace.tickMinutes", { value: format.count(ms / 60_000) });
  return format.duration(ms);
}
