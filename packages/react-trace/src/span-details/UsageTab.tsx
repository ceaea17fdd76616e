import { type SpanRecord, totalTokens } from "@spanloom/model";
import { useFormat } from "@spanloom/react-core";
import type { ReactElement, ReactNode } from "react";
import type { TraceModel } from "../layout/trace-model.ts";
import { useTraceMessages } from "../use-trace-messages.ts";

const PARTS = ["input", "cachedInput", "cacheWrite", "output", "reasoning"] as const;
const COST_PARTS = ["input", "cachedInput", "cacheWrite", "output", "fee"] as const;

/** The span's own figures as reported, then what its subtree adds up to. */
export function UsageTab({
  span,
  model,
  index,
}: {
  span: SpanRecord;
  model: TraceModel;
  index: number;
}): ReactElement {
  const t = useTraceMessages();
  const format = useFormat();
  const { usage, cost, cache } = span;
  return (
    <>
      <Figures title={t("trace.usageTitle")}>
        {PARTS.map((part) =>
          usage?.[part] === undefined && part !== "input" && part !== "output" ? null : (
            <Figure key={part} name={t(`trace.usage.${part}`)} value={format.count(usage?.[part])} />
          ),
        )}
        <Figure name={t("trace.usage.total")} value={format.count(usage && totalTokens(usage))} strong />
      </Figures>
      {usage?.subtotal ? <p className="sl-trace-note">{t("trace.usageSubtotal")}</p> : null}
      <Figures title={t("trace.costSection")}>
        {COST_PARTS.map((part) =>
          cost?.parts?.[part] === undefined ? null : (
            <Figure key={part} name={t(`trace.cost.${part}`)} value={format.costExact(cost.parts[part])} />
          ),
        )}
        <Figure name={t("trace.cost.total")} value={format.costExact(cost?.nanoUsd)} strong />
        {cost === undefined ? null : (
          <Figure name={t("trace.cost.source")} value={t(`trace.cost.source.${cost.source}`)} />
        )}
        {cost?.priceVersion === undefined ? null : (
          <Figure name={t("trace.cost.priceVersion")} value={<bdi>{cost.priceVersion}</bdi>} />
        )}
      </Figures>
      <Figures title={t("trace.subtree")}>
        <Figure name={t("trace.subtreeTokens")} value={format.count(known(model.tokens[index]))} />
        <Figure name={t("trace.subtreeCost")} value={format.costExact(known(model.costNanoUsd[index]))} />
        {model.unpriced[index] ? (
          <Figure name={t("trace.subtreeUnpriced")} value={format.count(model.unpriced[index])} />
        ) : null}
      </Figures>
      {cache === undefined || cache.length === 0 ? null : (
        <Figures title={t("trace.cacheTitle")}>
          {cache.map(({ keyspace, hits, misses }) => (
            <Figure
              key={keyspace}
              name={<bdi>{keyspace}</bdi>}
              value={t("trace.cacheAccess", { hits: format.count(hits), misses: format.count(misses) })}
            />
          ))}
        </Figures>
      )}
    </>
  );
}

function Figures({ title, children }: { title: string; children: ReactNode }): ReactElement {
  const t = useTraceMessages();
  return (
    <section className="sl-trace-section">
      <h4>{title}</h4>
      <table className="sl-trace-table sl-trace-figures" aria-label={title}>
        <thead className="sl-visually-hidden">
          <tr>
            <th scope="col">{t("trace.figure")}</th>
            <th scope="col">{t("trace.amount")}</th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

function Figure(props: { name: ReactNode; value: ReactNode; strong?: boolean }): ReactElement {
  return (
    <tr className={props.strong ? "sl-trace-strong" : undefined}>
      <th scope="row">{props.name}</th>
      <td>{props.value}</td>
    </tr>
  );
}

function known(value: number | undefined): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}
