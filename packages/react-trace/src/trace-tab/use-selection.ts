import { type SpanSkeleton, spanKey } from "@spanloom/model";
import { useCallback, useState } from "react";
import type { TraceModel } from "../layout/trace-model.ts";

export interface SelectionProps {
  /** The selected span's id, or `traceId/spanId` where an execution has the same span id in two traces. Controlled when given; `null` is none. */
  selectedSpanId?: string | null;
  /** Selected at first, when nobody controls it. */
  defaultSelectedSpanId?: string;
  /** Called with the span that the reader chose, or with `undefined` when the details were closed. */
  onSelectedSpanChange?: (spanId: string | undefined, span: SpanSkeleton | undefined) => void;
}

export interface Selection {
  /** As the host or the reader named it; the span may not have arrived yet. */
  wanted: string | undefined;
  /** The reader chose it here, as opposed to a link or the host: focus may follow. */
  byReader: boolean;
  select(span: SpanSkeleton | undefined): void;
}

interface Chosen {
  executionId: string | undefined;
  id: string | undefined;
  byReader: boolean;
}

/** Selection belongs to an execution: another one starts with none, unless the host controls it. */
export function useSelection(executionId: string | undefined, props: SelectionProps): Selection {
  const { selectedSpanId, defaultSelectedSpanId, onSelectedSpanChange } = props;
  const [chosen, setChosen] = useState<Chosen>({
    executionId,
    id: defaultSelectedSpanId,
    byReader: false,
  });
  const own = chosen.executionId === executionId ? chosen.id : undefined;
  const select = useCallback(
    (span: SpanSkeleton | undefined) => {
      setChosen({ executionId, id: span && spanKey(span), byReader: true });
      onSelectedSpanChange?.(span?.spanId, span);
    },
    [executionId, onSelectedSpanChange],
  );
  const wanted = selectedSpanId === undefined ? own : pick(selectedSpanId, own);
  return { wanted, byReader: chosen.byReader && own !== undefined && wanted === own, select };
}

/** Pre-order index of the selected span; -1 while it is not there. */
export function indexOfSelected(model: TraceModel, wanted: string | undefined): number {
  if (wanted === undefined) return -1;
  if (wanted.includes("/")) return model.indexOf(wanted);
  return model.nodes.findIndex((node) => node.span.spanId === wanted);
}

/** A controlled span id is made exact by what the reader chose, where both mean the same span. */
function pick(controlled: string | null, own: string | undefined): string | undefined {
  if (controlled === null) return undefined;
  return own?.endsWith(`/${controlled}`) ? own : controlled;
}
