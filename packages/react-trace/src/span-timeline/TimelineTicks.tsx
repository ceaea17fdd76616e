import { useFormat } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { percentOf, type TimeScale } from "../layout/time-scale.ts";

/** Times along the head of the timeline column. */
export function TimelineTicks({ scale }: { scale: TimeScale }): ReactElement {
  const format = useFormat();
  return (
    <>
      {scale.ticksMs.map((tick) => (
        <span
          key={tick}
          className="sl-trace-tick"
          style={{ insetInlineStart: `${percentOf(scale, tick)}%` }}
          aria-hidden="true"
        >
          {tick === 0 ? "0" : format.duration(tick)}
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
