import type { Artifact, SpanSkeleton } from "@spanloom/model";
import { EmptyState, type TraceState } from "@spanloom/react-core";
import { type ReactElement, useCallback, useDeferredValue, useMemo, useRef, useState } from "react";
import { Group, Panel, Separator } from "react-resizable-panels";
import { findAttempts } from "../layout/attempts.ts";
import { nextMatch, searchSpans } from "../layout/search-spans.ts";
import { findFacts } from "../layout/trace-facts.ts";
import { buildTraceModel, type TraceNode } from "../layout/trace-model.ts";
import { collapsibleKeys, keepSpans, revealed, siblingPlaces, visibleRows } from "../layout/visible-rows.ts";
import { type DetailTab, SpanDetails } from "../span-details/SpanDetails.tsx";
import { SpanGrid, type SpanGridHandle } from "../span-tree/SpanGrid.tsx";
import { TraceSummary } from "../trace-summary/TraceSummary.tsx";
import { useTraceMessages } from "../use-trace-messages.ts";
import { TraceHeader } from "./TraceHeader.tsx";
import { TraceNotices } from "./TraceNotices.tsx";
import { TraceToolbar } from "./TraceToolbar.tsx";
import type { PanelLayout } from "./use-panel-layout.ts";
import { indexOfSelected, type Selection } from "./use-selection.ts";
import { noFilters, type ToolbarState } from "./use-toolbar-state.ts";

export interface TraceViewProps {
  executionId: string;
  trace: TraceState;
  layout: PanelLayout;
  selection: Selection;
  toolbar: ToolbarState;
  artifactHref: ((artifact: Artifact, span: SpanSkeleton) => string | undefined) | undefined;
}

const nothingCollapsed: ReadonlySet<string> = new Set();

/** One execution's trace. Mounted anew for another execution. */
export function TraceView(props: TraceViewProps): ReactElement {
  const { executionId, trace, layout, selection, toolbar, artifactHref } = props;
  const t = useTraceMessages();
  const grid = useRef<SpanGridHandle>(null);
  const [tab, setTab] = useState<DetailTab>("content");
  const model = useMemo(() => buildTraceModel(trace.spans), [trace.spans]);
  const attempts = useMemo(() => findAttempts(model), [model]);
  const facts = useMemo(() => findFacts(model), [model]);

  const { filters } = toolbar;
  const kept = useMemo(() => keepSpans(model, filters), [model, filters]);
  const places = useMemo(() => siblingPlaces(model, kept), [model, kept]);
  const [collapsed, setCollapsed] = useCollapsed(filters);
  const rows = useMemo(() => visibleRows(model, collapsed, kept), [model, collapsed, kept]);

  const text = useDeferredValue(toolbar.text);
  const matches = useMemo(() => searchSpans(model, text, kept), [model, text, kept]);
  const [currentKey, setCurrentKey] = useState<string>();
  const current = currentKey === undefined ? -1 : matches.indexOf(model.indexOf(currentKey));

  const selected = useMemo(() => indexOfSelected(model, selection.wanted), [model, selection.wanted]);
  const selectedNode = model.nodes[selected];
  const { select } = selection;
  const showsDetails = layout === "wide" || selectedNode !== undefined;

  const reveal = useCallback(
    (index: number) => {
      setCollapsed((before) => revealed(model, before, index));
      grid.current?.show((model.nodes[index] as TraceNode).key);
    },
    [model, setCollapsed],
  );
  const step = (direction: 1 | -1): void => {
    // Enter may come before the deferred matches do.
    const found = text === toolbar.text ? matches : searchSpans(model, toolbar.text, kept);
    const at = currentKey === undefined ? -1 : model.indexOf(currentKey);
    const from = at >= 0 || direction === 1 ? at : model.nodes.length;
    const index = found[nextMatch(found, from, direction)];
    if (index === undefined) return;
    const node = model.nodes[index] as TraceNode;
    setCurrentKey(node.key);
    reveal(index);
    if (layout === "wide" || (layout === "medium" && selectedNode !== undefined)) select(node.span);
  };
  const choose = (key: string): void => {
    const index = model.indexOf(key);
    if (index < 0) return;
    // A fact may name a span that the toggles hide: showing it matters more.
    if (kept?.marks[index] === 0) toolbar.setFilters(noFilters);
    reveal(index);
    select((model.nodes[index] as TraceNode).span);
  };
  const closeDetails = (): void => {
    select(undefined);
    grid.current?.focus();
  };

  const details = (
    <SpanDetails
      key={selectedNode?.key}
      executionId={executionId}
      model={model}
      index={selected}
      attempt={attempts.get(selected)}
      layout={layout}
      takeFocus={selection.byReader}
      tab={tab}
      onTab={setTab}
      onClose={closeDetails}
      artifactHref={artifactHref}
    />
  );
  return (
    <>
      <TraceHeader trace={trace} model={model} />
      <TraceToolbar
        state={toolbar}
        matchCount={matches.length}
        position={current + 1}
        pending={text !== toolbar.text}
        onStep={step}
        onExpandAll={() => setCollapsed(() => nothingCollapsed)}
        onCollapseAll={() => setCollapsed(() => collapsibleKeys(model))}
      />
      <TraceNotices trace={trace} model={model} />
      <div className="sl-trace-panes">
        <Group orientation="horizontal" disableCursor className="sl-trace-group">
          <Panel minSize={420} className="sl-trace-pane" style={paneStyle}>
            {rows.length === 0 ? (
              <NothingKept toolbar={toolbar} />
            ) : (
              <SpanGrid
                handleRef={grid}
                model={model}
                rows={rows}
                places={places}
                kept={kept}
                collapsed={collapsed}
                onCollapse={setCollapsed}
                attempts={attempts}
                matches={matches}
                currentMatch={current < 0 ? -1 : (matches[current] as number)}
                selected={selected}
                onSelect={select}
                live={trace.live !== "ended"}
                hidden={layout === "narrow" && selectedNode !== undefined}
              />
            )}
          </Panel>
          {layout === "wide" ? (
            <>
              <Separator className="sl-trace-separator" aria-label={t("trace.resizeDetails")} />
              <Panel defaultSize="34" minSize={300} className="sl-trace-pane" style={paneStyle}>
                {details}
              </Panel>
            </>
          ) : null}
        </Group>
        {layout !== "wide" && showsDetails ? <div className="sl-trace-overlay">{details}</div> : null}
      </div>
      <TraceSummary
        trace={trace}
        model={model}
        facts={facts}
        onChoose={choose}
        onErrors={() => toolbar.setFilters({ ...noFilters, errorsOnly: true })}
        artifactHref={artifactHref}
      />
    </>
  );
}

const paneStyle = { overflow: "hidden" } as const;

type Collapsed = ReadonlySet<string>;

/** Toggles show what they find: each combination begins open, and going back finds the tree as it was left. */
function useCollapsed(filters: object): [Collapsed, (change: (before: Collapsed) => Collapsed) => void] {
  const [byFilter, setByFilter] = useState<ReadonlyMap<string, Collapsed>>(new Map());
  const name = JSON.stringify(filters);
  const set = useCallback(
    (change: (before: Collapsed) => Collapsed) =>
      setByFilter((before) => new Map(before).set(name, change(before.get(name) ?? nothingCollapsed))),
    [name],
  );
  return [byFilter.get(name) ?? nothingCollapsed, set];
}

function NothingKept({ toolbar }: { toolbar: ToolbarState }): ReactElement {
  const t = useTraceMessages();
  const { errorsOnly, aiOnly } = toolbar.filters;
  const hint = errorsOnly && aiOnly ? "trace.noneBoth" : errorsOnly ? "trace.noErrors" : "trace.noAi";
  return (
    <div className="sl-trace-none" role="status">
      <EmptyState title={t("trace.noneKept")} hint={t(hint)} />
      <button type="button" className="sl-button" onClick={() => toolbar.setFilters(noFilters)}>
        {t("trace.clearFilters")}
      </button>
    </div>
  );
}
