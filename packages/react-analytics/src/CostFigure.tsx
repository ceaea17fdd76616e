import type { CostSum } from "@spanloom/model";
import { useFormat, useMessages } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { analyticsMessages } from "./messages.ts";

/** A sum of costs. One that leaves unpriced calls out is a lower bound and says so with a sign; the title is exact. */
export function CostFigure({ cost }: { cost: CostSum }): ReactElement {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  const exact = cost.nanoUsd === undefined ? [] : [format.costExact(cost.nanoUsd)];
  const missing = cost.unpriced === 0 ? [] : [t("cost.unpricedCalls", { count: cost.unpriced })];
  return (
    <span
      title={[...exact, ...missing].join(" · ") || undefined}
      className={cost.nanoUsd === undefined ? "sl-dim" : undefined}
    >
      {cost.nanoUsd !== undefined && cost.unpriced > 0 ? "≥ " : ""}
      {format.cost(cost.nanoUsd)}
    </span>
  );
}
