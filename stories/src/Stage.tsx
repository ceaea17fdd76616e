import type { TraceReader } from "@spanloom/model";
import { type Catalogue, ObservabilityProvider } from "@spanloom/react-core";
import type { ReactElement, ReactNode } from "react";
import "@spanloom/react-core/styles.css";
import "@spanloom/react-analytics/styles.css";

export interface StageProps {
  reader: TraceReader;
  widthPx: number;
  rightToLeft?: boolean;
  locale?: string;
  messages?: Catalogue;
  children: ReactNode;
}

/** A page as wide as asked, with a provider whose zone and language are the same everywhere. */
export function Stage(props: StageProps): ReactElement {
  const { reader, widthPx, rightToLeft, locale = "en-US", messages, children } = props;
  return (
    <main dir={rightToLeft ? "rtl" : undefined} style={{ inlineSize: widthPx, maxInlineSize: "100%" }}>
      <h1 style={{ display: "none" }}>Panel</h1>
      <ObservabilityProvider
        store={reader}
        locale={locale}
        timeZone="Europe/Berlin"
        {...(messages !== undefined && { messages })}
      >
        {children}
      </ObservabilityProvider>
    </main>
  );
}
