// biome-ignore-all lint/a11y/useSemanticElements: a virtual treegrid cannot be a table element
// biome-ignore-all lint/a11y/useFocusableInteractive: focus is on rows, as the treegrid pattern allows
import { millisBetween, type SpanSkeleton, type UnixNanos } from "@spanloom/model";
import { type Format, KindIcon } from "@spanloom/react-core";
import { type CSSProperties, memo, type NamedExoticComponent, type ReactElement } from "react";
import type { AttemptPlace } from "../layout/attempts.ts";
import type { TimeScale } from "../layout/time-scale.ts";
import { TimelineBar } from "../span-timeline/TimelineBar.tsx";
import type { TraceTranslate } from "../use-trace-messages.ts";

export interface SpanRowProps {
  id: string;
  span: SpanSkeleton;
  /** From 0, among the visible rows. */
  row: number;
  top: number;
  /** From 1. */
  level: number;
  setSize: number;
  position: number;
  open: boolean | undefined;
  selected: boolean;
  active: boolean;
  match: "current" | "found" | undefined;
  /** Shown only because something below it passes the filter. */
  context: boolean;
  /** Sums of the subtree; NaN when unknown. */
  tokens: number;
  costNanoUsd: number;
  unpriced: number;
  startMs: number;
  /** For a running span: now. */
  endMs: number;
  originTime: UnixNanos;
  scale: TimeScale;
  attempt: AttemptPlace | undefined;
  /** Earlier tries of the same node: start and end. */
  ghosts: readonly (readonly [startMs: number, endMs: number])[] | undefined;
  format: Format;
  t: TraceTranslate;
}

/** One span. Few elements: a screen holds some 40 of these, and all of them change while a trace grows. */
export const SpanRow: NamedExoticComponent<SpanRowProps> = memo(function SpanRow(props: SpanRowProps) {
  const { span, format, t, tokens, costNanoUsd, unpriced } = props;
  const running = span.endTime === undefined;
  const durationMs = Math.max(props.endMs - props.startMs, 0);
  const cost = Number.isNaN(costNanoUsd) ? undefined : costNanoUsd;
  return (
    <div
      id={props.id}
      className={rowClass(props)}
      style={placeOf(props)}
      role="row"
      data-row={props.row}
      tabIndex={props.active ? 0 : -1}
      aria-rowindex={props.row + 2}
      aria-level={props.level}
      aria-setsize={props.setSize}
      aria-posinset={props.position}
      aria-expanded={props.open}
      aria-selected={props.selected}
    >
      <div className="sl-trace-name" role="gridcell">
        {props.open === undefined ? (
          <span className="sl-trace-leaf" />
        ) : (
          <span className="sl-trace-toggle">
            <svg className="sl-trace-icon" viewBox="0 0 16 16" aria-hidden="true">
              <path d="M6 4l4 4-4 4" />
            </svg>
          </span>
        )}
        <KindIcon kind={span.kind} />
        <bdi className="sl-trace-text" title={span.name}>
          {span.name === "" ? t("trace.unnamed") : clip(span.name)}
        </bdi>
        {props.attempt === undefined ? null : (
          <span className="sl-trace-attempt">
            {t("trace.attempt", { attempt: props.attempt.attempt, of: props.attempt.of })}
          </span>
        )}
        <StateWord span={span} t={t} />
      </div>
      <div className="sl-trace-number" role="gridcell">
        {format.duration(durationMs)}
      </div>
      <Figure
        className="sl-trace-tokens"
        text={Number.isNaN(tokens) ? undefined : format.tokens(tokens)}
        title={Number.isNaN(tokens) ? undefined : format.count(tokens)}
        unknown={format.count(undefined)}
      />
      <Figure
        className="sl-trace-cost"
        text={cost === undefined ? undefined : `${unpriced > 0 ? "≥ " : ""}${format.cost(cost)}`}
        title={
          cost === undefined
            ? undefined
            : unpriced > 0
              ? t("trace.atLeast", { value: format.costExact(cost), unpriced })
              : format.costExact(cost)
        }
        unknown={format.cost(undefined)}
      />
      <div
        className="sl-trace-timeline"
        role="gridcell"
        aria-label={t(running ? "trace.barRunning" : "trace.barLabel", {
          start: format.duration(props.startMs),
          duration: format.duration(durationMs),
        })}
      >
        <TimelineBar
          kind={span.kind}
          scale={props.scale}
          startMs={props.startMs}
          endMs={props.endMs}
          firstTokenMs={
            span.firstTokenTime === undefined
              ? undefined
              : millisBetween(props.originTime, span.firstTokenTime)
          }
          running={running}
          synthetic={span.syntheticEnd !== undefined}
          failed={span.status.code === "error"}
          ghost={props.attempt?.superseded === true}
          ghosts={props.ghosts}
        />
      </div>
    </div>
  );
}, sameRow);

/** Ghosts and attempts are made anew with every model; what they say seldom changes. */
function sameRow(before: SpanRowProps, after: SpanRowProps): boolean {
  for (const key of Object.keys(after) as (keyof SpanRowProps)[]) {
    if (Object.is(before[key], after[key])) continue;
    if (key !== "ghosts" && key !== "attempt") return false;
    if (JSON.stringify(before[key]) !== JSON.stringify(after[key])) return false;
  }
  return true;
}

/** The word beside the name when a span did not just end well: never colour alone. */
function StateWord({ span, t }: { span: SpanSkeleton; t: TraceTranslate }): ReactElement | null {
  if (span.syntheticEnd !== undefined) {
    const word = span.syntheticEnd === "timed_out" ? "trace.timedOut" : "trace.lost";
    return <span className="sl-trace-word sl-trace-word-error">{t(word)}</span>;
  }
  if (span.status.code === "error")
    return <span className="sl-trace-word sl-trace-word-error">{t("trace.error")}</span>;
  if (span.endTime === undefined)
    return <span className="sl-trace-word sl-trace-word-running">{t("trace.running")}</span>;
  return null;
}

function Figure(props: {
  className: string;
  text: string | undefined;
  title: string | undefined;
  unknown: string;
}): ReactElement {
  if (props.text === undefined) {
    return (
      <div
        className={`sl-trace-number sl-trace-unknown ${props.className}`}
        role="gridcell"
        aria-label={props.unknown}
      >
        —
      </div>
    );
  }
  return (
    <div className={`sl-trace-number ${props.className}`} role="gridcell" title={props.title}>
      {props.text}
    </div>
  );
}

function placeOf({ top, level }: SpanRowProps): CSSProperties & Record<"--sl-level", number> {
  return { transform: `translateY(${top}px)`, "--sl-level": level };
}

function rowClass({ selected, match, context, attempt }: SpanRowProps): string {
  let name = "sl-trace-row";
  if (selected) name += " sl-trace-selected";
  if (match !== undefined) name += ` sl-trace-${match}`;
  if (context) name += " sl-trace-context";
  if (attempt?.superseded) name += " sl-trace-superseded";
  return name;
}

/** A name of thousands of characters costs layout and shows no more of itself. */
function clip(name: string): string {
  return name.length > 300 ? `${name.slice(0, 300)}…` : name;
}
