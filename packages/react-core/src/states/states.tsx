import { isSpanloomError } from "@spanloom/model";
import type { ReactElement, ReactNode } from "react";
import { coreMessages } from "../messages/core-messages.ts";
import { useMessages } from "../messages/messages.ts";

/** Nothing here yet: what would appear, and how to get it. */
export function EmptyState({ title, hint }: { title: string; hint?: ReactNode }): ReactElement {
  return (
    <div className="sl-state">
      <p className="sl-state-title">{title}</p>
      {hint === undefined ? null : <p className="sl-state-hint">{hint}</p>}
    </div>
  );
}

/** What failed, why, how to mend it, and a way to try again. */
export function ErrorState({
  error,
  onRetry,
}: {
  error: Error | undefined;
  onRetry?: () => void;
}): ReactElement {
  const t = useMessages(coreMessages);
  const known = isSpanloomError(error) ? error : undefined;
  return (
    <div className="sl-state sl-state-error" role="alert">
      <p className="sl-state-title">{t("state.error")}</p>
      <p className="sl-state-hint">
        {known === undefined ? error?.message : [known.what, known.why, known.fix].filter(Boolean).join(" ")}
      </p>
      {known === undefined ? null : (
        <code className="sl-state-code">{t("state.errorCode", { code: known.code })}</code>
      )}
      {onRetry === undefined ? null : (
        <button type="button" className="sl-button" onClick={onRetry}>
          {t("state.retry")}
        </button>
      )}
    </div>
  );
}

export function NotPermittedState(): ReactElement {
  const t = useMessages(coreMessages);
  return (
    <div className="sl-state">
      <p className="sl-state-title">{t("state.notPermitted")}</p>
      <p className="sl-state-hint">{t("state.notPermittedHint")}</p>
    </div>
  );
}

/** Grey bars where rows will be. */
export function SkeletonRows({ rows }: { rows: number }): ReactElement {
  const t = useMessages(coreMessages);
  return (
    <div className="sl-skeleton" role="status">
      <span className="sl-visually-hidden">{t("state.loading")}</span>
      {Array.from({ length: rows }, (_, index) => 92 - ((index * 37) % 48)).map((width) => (
        <span key={width} className="sl-skeleton-row" style={{ inlineSize: `${width}%` }} />
      ))}
    </div>
  );
}

/** What is shown is not all there is. */
export function PartialNotice({ children }: { children: ReactNode }): ReactElement {
  return (
    <p className="sl-partial" role="status">
      {children}
    </p>
  );
}
