import type { ReactElement } from "react";
import { useTraceMessages } from "../use-trace-messages.ts";

/** Stands for a text that is there, and that this reader may not see. */
export function Withheld(): ReactElement {
  const t = useTraceMessages();
  return (
    <span
      className="sl-trace-state sl-trace-state-not_permitted"
      title={t("trace.capture.not_permitted.hint")}
    >
      {t("trace.capture.not_permitted")}
    </span>
  );
}
