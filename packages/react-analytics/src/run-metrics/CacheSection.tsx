import type { RunMetrics } from "@spanloom/model";
import { useFormat, useMessages } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { analyticsMessages } from "../messages.ts";

/** Cache hits by keyspace. A run without any access says so; it has no ratio of 0. */
export function CacheSection({ cache }: { cache: RunMetrics["mcpCache"] }): ReactElement {
  const t = useMessages(analyticsMessages);
  const format = useFormat();
  return (
    <section className="sl-section" aria-label={t("cache.title")}>
      <div className="sl-section-head">
        <h3 className="sl-section-title">{t("cache.title")}</h3>
        {cache === undefined ? null : (
          <span className="sl-section-figure">{format.percent(cache.ratio)}</span>
        )}
      </div>
      {cache === undefined ? (
        <p className="sl-note">{t("cache.none")}</p>
      ) : (
        <div className="sl-table-scroll">
          <table className="sl-table">
            <thead>
              <tr>
                <th scope="col">{t("cache.keyspace")}</th>
                <th scope="col" className="sl-number">
                  {t("cache.hits")}
                </th>
                <th scope="col" className="sl-number">
                  {t("cache.misses")}
                </th>
                <th scope="col" className="sl-number">
                  {t("cache.ratio")}
                </th>
              </tr>
            </thead>
            <tbody>
              {cache.keyspaces.map(({ keyspace, hits, misses, ratio }) => (
                <tr key={keyspace}>
                  <th scope="row" className="sl-mono">
                    <bdi>{keyspace}</bdi>
                  </th>
                  <td className="sl-number">{format.count(hits)}</td>
                  <td className="sl-number">{format.count(misses)}</td>
                  <td className="sl-number">{format.percent(ratio)}</td>
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr>
                <th scope="row">{t("cache.overall")}</th>
                <td className="sl-number">{format.count(cache.hits)}</td>
                <td className="sl-number">{format.count(cache.misses)}</td>
                <td className="sl-number">{format.percent(cache.ratio)}</td>
              </tr>
            </tfoot>
          </table>
        </div>
      )}
    </section>
  );
}
