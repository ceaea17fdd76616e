import type { CostSum, UsageSum } from "@spanloom/model";
import {
  coreMessages,
  EmptyState,
  ErrorState,
  NotPermittedState,
  PanelRoot,
  SkeletonRows,
  useExecution,
  useFormat,
  useMessages,
} from "@spanloom/react-core";
import type { ReactElement } from "react";
import { CostFigure } from "../CostFigure.tsx";
import { analyticsMessages } from "../messages.ts";

export interface CostBreakdownProps {
  executionId: string;
}

/** What each node of an execution used and cost, and what that adds up to. */
export function CostBreakdown({ executionId }: CostBreakdownProps): ReactElement {
  const t = useMessages(analyticsMessages);
  return (
    <PanelRoot label={t("breakdown.label")} className="sl-breakdown">
      <CostBreakdownTable executionId={executionId} />
    </PanelRoot>
  );
}

/** The same without a panel of its own, to stand inside another one. */
export function CostBreakdownTable({ executionId }: CostBreakdownProps): ReactElement {
  const t = useMessages(analyticsMessages);
  const core = useMessages(coreMessages);
  const { status, data, error, retry } = useExecution(executionId);
  if (status === "error") return <ErrorState error={error} onRetry={retry} />;
  if (status === "not-permitted") return <NotPermittedState />;
  if (status === "not-found") return <EmptyState title={t("breakdown.notFound")} />;
  if (data === undefined) return <SkeletonRows rows={3} />;
  const { nodes, outsideNodes, usage, cost } = data;
  const outside = outsideNodes.usage.items > 0 || outsideNodes.cost.priced + outsideNodes.cost.unpriced > 0;
  if (nodes.length === 0 && !outside) return <EmptyState title={t("breakdown.none")} />;
  return (
    <div className="sl-table-scroll">
      <table className="sl-table">
        <thead>
          <tr>
            <th scope="col">{core("term.node")}</th>
            <th scope="col" className="sl-number">
              {t("breakdown.input")}
            </th>
            <th scope="col" className="sl-number">
              {t("breakdown.output")}
            </th>
            <th scope="col" className="sl-number">
              {t("breakdown.cost")}
            </th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <CostRow key={node.nodeId} name={node.nodeId} usage={node.usage} cost={node.cost} />
          ))}
          {outside ? (
            <CostRow name={t("breakdown.outside")} usage={outsideNodes.usage} cost={outsideNodes.cost} dim />
          ) : null}
        </tbody>
        <tfoot>
          <CostRow name={t("breakdown.total")} usage={usage} cost={cost} />
        </tfoot>
      </table>
      {cost.unpriced > 0 ? (
        <p className="sl-note">{t("breakdown.unpriced", { count: cost.unpriced })}</p>
      ) : null}
    </div>
  );
}

interface CostRowProps {
  name: string;
  usage: UsageSum;
  cost: CostSum;
  dim?: boolean;
}

function CostRow({ name, usage, cost, dim }: CostRowProps): ReactElement {
  const format = useFormat();
  return (
    <tr className={dim ? "sl-row-dim" : undefined}>
      <th scope="row">
        <bdi>{name}</bdi>
      </th>
      <td className="sl-number">{format.count(usage.input)}</td>
      <td className="sl-number">{format.count(usage.output)}</td>
      <td className="sl-number">
        <CostFigure cost={cost} />
      </td>
    </tr>
  );
}
