import { useFormat } from "@spanloom/react-core";
import { type KeyboardEvent, type ReactElement, type ReactNode, useId } from "react";
import { useTraceMessages } from "../use-trace-messages.ts";
import { DETAIL_TABS, type DetailTab } from "./SpanDetails.tsx";

export interface DetailTabsProps {
  tab: DetailTab;
  onTab(tab: DetailTab): void;
  labels: Record<DetailTab, { text: string; count?: number }>;
  children: ReactNode;
}

/** Tabs after the WAI-ARIA pattern: one tab stop, arrows move and select. */
export function DetailTabs({ tab, onTab, labels, children }: DetailTabsProps): ReactElement {
  const t = useTraceMessages();
  const format = useFormat();
  const id = useId();
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const next = tabAfter(tab, event.key, getComputedStyle(event.currentTarget).direction === "rtl");
    if (next === undefined) return;
    event.preventDefault();
    onTab(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
  };
  return (
    <>
      <div className="sl-trace-tabs" role="tablist" aria-label={t("trace.tabs")} onKeyDown={onKeyDown}>
        {DETAIL_TABS.map((name) => (
          <button
            key={name}
            type="button"
            id={`${id}${name}`}
            className="sl-trace-tab"
            role="tab"
            data-tab={name}
            aria-selected={name === tab}
            aria-controls={`${id}panel`}
            tabIndex={name === tab ? 0 : -1}
            onClick={() => onTab(name)}
          >
            {labels[name].text}
            {labels[name].count ? (
              <span className="sl-trace-count"> {format.count(labels[name].count)}</span>
            ) : null}
          </button>
        ))}
      </div>
      <div
        className="sl-trace-tabpanel"
        role="tabpanel"
        id={`${id}panel`}
        aria-labelledby={`${id}${tab}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a panel that scrolls must be reached by keyboard
        tabIndex={0}
      >
        {children}
      </div>
    </>
  );
}

function tabAfter(tab: DetailTab, key: string, rightToLeft: boolean): DetailTab | undefined {
  const at = DETAIL_TABS.indexOf(tab);
  const last = DETAIL_TABS.length - 1;
  const forward = rightToLeft ? "ArrowLeft" : "ArrowRight";
  const backward = rightToLeft ? "ArrowRight" : "ArrowLeft";
  if (key === forward) return DETAIL_TABS[at === last ? 0 : at + 1];
  if (key === backward) return DETAIL_TABS[at === 0 ? last : at - 1];
  if (key === "Home") return DETAIL_TABS[0];
  return key === "End" ? DETAIL_TABS[last] : undefined;
}
