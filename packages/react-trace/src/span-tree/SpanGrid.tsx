// biome-ignore-all lint/a11y/useSemanticElements: a virtual treegrid cannot be a table element
import { millisOf, type SpanSkeleton } from "@spanloom/model";
import { useFormat, useNow } from "@spanloom/react-core";
import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import {
  type MouseEvent,
  type ReactElement,
  type Ref,
  type RefObject,
  useCallback,
  useId,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { AttemptPlace } from "../layout/attempts.ts";
import { createTimeScale } from "../layout/time-scale.ts";
import type { TraceModel, TraceNode } from "../layout/trace-model.ts";
import {
  type KeptSpans,
  openState,
  rowOfIndex,
  rowShowing,
  type SiblingPlaces,
} from "../layout/visible-rows.ts";
import { ColumnResizer } from "../span-timeline/ColumnResizer.tsx";
import { TimelineLines, TimelineTicks } from "../span-timeline/TimelineTicks.tsx";
import { useTraceMessages } from "../use-trace-messages.ts";
import { GridHeader } from "./GridHeader.tsx";
import { SpanRow } from "./SpanRow.tsx";
import { useGridKeyboard } from "./use-grid-keyboard.ts";
import { useGridMetrics } from "./use-grid-metrics.ts";
import { useStableScroll } from "./use-stable-scroll.ts";

export interface SpanGridHandle {
  /** Brings the span's row into view and makes it the one that the keyboard starts from. */
  show(key: string): void;
  focus(): void;
}

export interface SpanGridProps {
  handleRef: Ref<SpanGridHandle>;
  model: TraceModel;
  /** What is shown, as pre-order indices; at least one. */
  rows: Int32Array;
  places: SiblingPlaces;
  kept: KeptSpans | undefined;
  collapsed: ReadonlySet<string>;
  onCollapse(change: (before: ReadonlySet<string>) => ReadonlySet<string>): void;
  attempts: ReadonlyMap<number, AttemptPlace>;
  /** Pre-order indices that the search found, rising. */
  matches: Int32Array;
  currentMatch: number;
  /** Pre-order index; -1 for none. */
  selected: number;
  onSelect(span: SpanSkeleton): void;
  live: boolean;
  /** Another screen covers the grid. It keeps its place but takes no part. */
  hidden: boolean;
}

const OVERSCAN = 6;

/** Span tree and timeline: one virtual list, a treegrid after the WAI-ARIA pattern with focus on rows. */
export function SpanGrid(props: SpanGridProps): ReactElement {
  const { model, rows, places, kept, collapsed, onCollapse, attempts, matches, selected, onSelect } = props;
  const t = useTraceMessages();
  const format = useFormat();
  const idBase = useId();
  const root = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const header = useRef<HTMLDivElement>(null);
  const rowHeight = useGridMetrics(root, scroller, header);

  const [activeKey, setActiveKey] = useState<string>();
  const activeIndex = activeKey === undefined ? selected : model.indexOf(activeKey);
  const activeRow = Math.max(activeIndex < 0 ? 0 : rowShowing(model, rows, activeIndex), 0);

  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: useCallback((row: number) => model.nodes[rows[row] as number]?.key ?? row, [model, rows]),
    initialRect: { width: 800, height: 640 },
    overscan: OVERSCAN,
    // The active row is always there, so that focus survives when it is scrolled away.
    rangeExtractor: useCallback(
      (range: Range) => {
        const shown = defaultRangeExtractor(range);
        if (activeRow < range.count && !shown.includes(activeRow)) shown.push(activeRow);
        return shown.sort((a, b) => a - b);
      },
      [activeRow],
    ),
  });
  useLayoutEffect(() => {
    if (rowHeight > 0) virtualizer.measure();
  }, [virtualizer, rowHeight]);

  const scrollToRow = useStableScroll({ scroller, model, rows, rowHeight, live: props.live });
  useLayoutEffect(() => {
    if (root.current) root.current.inert = props.hidden;
  }, [props.hidden]);
  const activeId = `${idBase}${(model.nodes[rows[activeRow] as number] as TraceNode).key}`;
  const focusRow = useFocus(root, activeId, props.hidden);
  const activate = useCallback(
    (row: number, focus: boolean) => {
      const node = model.nodes[rows[row] as number];
      if (node === undefined) return;
      setActiveKey(node.key);
      scrollToRow(row);
      if (focus) focusRow();
    },
    [model, rows, scrollToRow, focusRow],
  );

  // What was asked for may be shown only with the next rows, when its ancestors are open.
  const [wanted, setWanted] = useState<string>();
  useLayoutEffect(() => {
    if (wanted === undefined) return;
    const row = rowOfIndex(rows, model.indexOf(wanted));
    if (row < 0) return;
    setWanted(undefined);
    setActiveKey(wanted);
    scrollToRow(row);
  }, [wanted, rows, model, scrollToRow]);
  useImperativeHandle(props.handleRef, () => ({ show: setWanted, focus: focusRow }), [focusRow]);
  useShowFirstSelected(model, selected, setWanted);

  const toggle = useCallback(
    (keys: readonly string[], open: boolean) =>
      onCollapse((before) => {
        const next = new Set(before);
        for (const key of keys)
          if (open) next.delete(key);
          else next.add(key);
        return next;
      }),
    [onCollapse],
  );
  const onKeyDown = useGridKeyboard({
    model,
    rows,
    kept,
    collapsed,
    activeRow,
    pageRows: () => Math.floor(((scroller.current?.clientHeight ?? 0) - rowHeight) / rowHeight),
    onActivate: activate,
    onToggle: toggle,
    onSelect,
  });
  const onClick = (event: MouseEvent): void => {
    if (!(event.target instanceof Element)) return;
    const element = event.target.closest<HTMLElement>("[data-row]");
    const row = Number(element?.dataset.row);
    const node = element ? model.nodes[rows[row] as number] : undefined;
    if (node === undefined) return;
    activate(row, true);
    if (event.target.closest(".sl-trace-toggle")) toggle([node.key], collapsed.has(node.key));
    else onSelect(node.span);
  };

  const now = useNow(1_000, props.live && model.runningCount > 0);
  const nowMs = Math.max(now - millisOf(model.originTime), model.extentMs);
  const running = props.live && model.runningCount > 0;
  const extentMs = running ? nowMs : model.extentMs;
  const scale = useMemo(() => createTimeScale(extentMs, running), [extentMs, running]);
  const endOf = (index: number): number => {
    const end = model.endMs[index] as number;
    return Number.isNaN(end) ? nowMs : end;
  };
  const matchSet = useMemo(() => new Set(matches), [matches]);

  return (
    <div ref={root} className={props.hidden ? "sl-trace-grid sl-trace-hidden" : "sl-trace-grid"}>
      <div
        ref={scroller}
        className="sl-trace-scroller"
        role="treegrid"
        aria-label={t("trace.grid")}
        aria-rowcount={rows.length + 1}
        aria-colcount={5}
        onKeyDown={onKeyDown}
        onClick={onClick}
      >
        <GridHeader rowRef={header}>
          <TimelineTicks scale={scale} />
        </GridHeader>
        <div className="sl-trace-rows" role="rowgroup" style={{ blockSize: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map((item) => {
            const index = rows[item.index] as number;
            const node = model.nodes[index] as TraceNode;
            const isRunning = node.span.endTime === undefined;
            const attempt = attempts.get(index);
            return (
              <SpanRow
                key={node.key}
                id={`${idBase}${node.key}`}
                span={node.span}
                row={item.index}
                top={item.start}
                level={node.depth + 1}
                setSize={places.setSize[index] as number}
                position={places.position[index] as number}
                open={openState(model, index, collapsed, kept)}
                selected={index === selected}
                active={item.index === activeRow}
                match={index === props.currentMatch ? "current" : matchSet.has(index) ? "found" : undefined}
                context={kept?.marks[index] === 1}
                tokens={model.tokens[index] as number}
                costNanoUsd={model.costNanoUsd[index] as number}
                unpriced={model.unpriced[index] as number}
                startMs={model.startMs[index] as number}
                endMs={isRunning ? nowMs : (model.endMs[index] as number)}
                originTime={model.originTime}
                scale={scale}
                attempt={attempt}
                ghosts={attempt?.earlier.map((at) => [model.startMs[at] as number, endOf(at)] as const)}
                format={format}
                t={t}
              />
            );
          })}
          <TimelineLines scale={scale} />
        </div>
      </div>
      <ColumnResizer gridRef={root} label={t("trace.resizeTree")} />
    </div>
  );
}

/** Gives focus to the active row after the next render: by then it is there, wherever the view is. */
function useFocus(root: RefObject<HTMLElement | null>, activeId: string, hidden: boolean): () => void {
  const [asked, setAsked] = useState(0);
  const done = useRef(0);
  const had = useRef(false);
  useLayoutEffect(() => {
    const element = root.current;
    if (element === null) return;
    const onFocusIn = (): void => {
      had.current = true;
    };
    const onFocusOut = (event: FocusEvent): void => {
      // A row that is taken away loses focus without anyone having moved it.
      if (event.target instanceof Element && event.target.isConnected) had.current = false;
    };
    element.addEventListener("focusin", onFocusIn);
    element.addEventListener("focusout", onFocusOut);
    return () => {
      element.removeEventListener("focusin", onFocusIn);
      element.removeEventListener("focusout", onFocusOut);
    };
  }, [root]);
  useLayoutEffect(() => {
    if (hidden) {
      done.current = asked;
      had.current = false;
      return;
    }
    const lost =
      had.current && root.current?.ownerDocument.activeElement === root.current?.ownerDocument.body;
    if (asked === done.current && !lost) return;
    done.current = asked;
    root.current?.ownerDocument.getElementById(activeId)?.focus({ preventScroll: true });
  });
  return useCallback(() => setAsked((count) => count + 1), []);
}

/** A span that was selected before its row existed (a link, a reload) is brought into view once. */
function useShowFirstSelected(model: TraceModel, selected: number, show: (key: string) => void): void {
  const shown = useRef(false);
  useLayoutEffect(() => {
    if (shown.current || selected < 0) return;
    shown.current = true;
    show((model.nodes[selected] as TraceNode).key);
  }, [model, selected, show]);
}
