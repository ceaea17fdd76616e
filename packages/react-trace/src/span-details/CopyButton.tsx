import { useCopy } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { useTraceMessages } from "../use-trace-messages.ts";

export function CopyButton({ label, text }: { label: string; text: string }): ReactElement {
  const t = useTraceMessages();
  const { state, copy } = useCopy();
  const name = t("trace.copy", { label });
  return (
    <button
      type="button"
      className="sl-button sl-trace-icon-button sl-trace-quiet"
      aria-label={name}
      title={name}
      onClick={() => copy(text)}
    >
      <svg className="sl-trace-icon" viewBox="0 0 16 16" aria-hidden="true">
        <path
          d={state === "copied" ? "M3 8.500 6.500 12 13 4.500" : "M5.500 5.500v-3h8v8h-3M2.500 5.500h8v8h-8Z"}
        />
      </svg>
      <span className="sl-visually-hidden" role="status">
        {state === "copied" ? t("trace.copied") : state === "failed" ? t("trace.copyFailed") : ""}
      </span>
    </button>
  );
}
