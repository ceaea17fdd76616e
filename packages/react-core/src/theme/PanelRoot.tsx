import type { ReactElement, ReactNode, Ref } from "react";
import { useObservability } from "../context.ts";

export interface PanelRootProps {
  /** The panel's accessible name. */
  label: string;
  className?: string;
  /** Set to get the element, e.g. to measure it. */
  rootRef?: Ref<HTMLElement>;
  busy?: boolean;
  children: ReactNode;
}

/** The outermost element of every panel: theme, font, box model, and a container that its parts size themselves by. */
export function PanelRoot({ label, className, rootRef, busy, children }: PanelRootProps): ReactElement {
  const { theme } = useObservability();
  return (
    <section
      ref={rootRef}
      className={className === undefined ? "sl-root" : `sl-root ${className}`}
      data-theme={theme === "system" ? undefined : theme}
      aria-label={label}
      aria-busy={busy || undefined}
    >
      {children}
    </section>
  );
}
