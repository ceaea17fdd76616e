import type { SpanKind } from "@spanloom/model";
import { kindColor } from "@spanloom/react-core";
import type { CSSProperties, ReactElement } from "react";
import { type BarBox, barBox, type TimeScale } from "../layout/time-scale.ts";

export interface TimelineBarProps {
  kind: SpanKind;
  scale: TimeScale;
  startMs: number;
  endMs: number;
  /** When the first token came; the bar up to there is lighter. */
  firstTokenMs: number | undefined;
  running: boolean;
  /** Ended by a time-out or a lost process: hatched, for nobody knows when it really ended. */
  synthetic: boolean;
  failed: boolean;
  /** A try that failed before a retry. */
  ghost: boolean;
  ghosts: readonly (readonly [startMs: number, endMs: number])[] | undefined;
}

/** A span on the time axis, placed in per cent so that no layout is measured. */
export function TimelineBar(props: TimelineBarProps): ReactElement {
  const { scale, startMs, endMs, firstTokenMs, ghosts } = props;
  const box = barBox(scale, startMs, endMs);
  const lengthMs = endMs - startMs;
  const head =
    firstTokenMs !== undefined && lengthMs > 0
      ? Math.min(Math.max((firstTokenMs - startMs) / lengthMs, 0), 1)
      : 0;
  return (
    <>
      {ghosts?.map(([start, end]) => (
        <span key={start} className="sl-trace-ghost" style={place(barBox(scale, start, end))} />
      ))}
      <span className={barClass(props)} style={{ ...place(box), color: kindColor(props.kind) }}>
        {head > 0 ? (
          <span className="sl-trace-bar-head" style={{ inlineSize: `${round(head * 100)}%` }} />
        ) : null}
      </span>
    </>
  );
}

function place({ start, size }: BarBox): CSSProperties {
  return { insetInlineStart: `${round(start)}%`, inlineSize: `${round(size)}%` };
}

function round(percent: number): number {
  return Math.round(percent * 1000) / 1000;
}

function barClass({ ghost, running, synthetic, failed }: TimelineBarProps): string {
  let name = ghost ? "sl-trace-ghost" : "sl-trace-bar";
  if (running) name += " sl-trace-bar-running";
  if (synthetic) name += " sl-trace-bar-synthetic";
  if (failed) name += " sl-trace-bar-failed";
  return name;
}
