import type { Content } from "@spanloom/model";
import type { ReactElement } from "react";
import { type TraceTranslate, useTraceMessages } from "../use-trace-messages.ts";
import { contentText } from "./pretty-json.ts";
import { useSizeText } from "./use-size-text.ts";

/** How much of the content stands here, and why not all of it. Says nothing when all of it does. */
export function CaptureNote({ content }: { content: Content }): ReactElement | null {
  const t = useTraceMessages();
  const sizeText = useSizeText();
  const { state, reason } = content;
  const rules = rulesText(content.redactions, t);
  if (state === "captured" && rules === undefined) return null;
  const why = reason ?? hintOf(state, t);
  return (
    <span className="sl-trace-capture">
      {state === "captured" || state === "redacted" ? null : (
        <span className={`sl-trace-state sl-trace-state-${state}`}>
          {state === "truncated" && content.length !== undefined
            ? t("trace.capture.truncatedAt", {
                shown: sizeText(contentText(content)?.length ?? 0),
                total: sizeText(content.length),
              })
            : t(`trace.capture.${state}`)}
        </span>
      )}
      {rules === undefined && state !== "redacted" ? null : (
        <span className="sl-trace-state sl-trace-state-redacted">
          {rules === undefined ? t("trace.capture.redacted") : t("trace.capture.redactedBy", { rules })}
        </span>
      )}
      {why === undefined ? null : <bdi className="sl-trace-dim">{why}</bdi>}
    </span>
  );
}

/** `e-mail (2), api_key (1)`. */
export function rulesText(redactions: Content["redactions"], t: TraceTranslate): string | undefined {
  if (redactions === undefined || redactions.length === 0) return undefined;
  return redactions.map(({ rule, count }) => t("trace.capture.redactedRule", { rule, count })).join(", ");
}

function hintOf(state: Content["state"], t: TraceTranslate): string | undefined {
  if (state === "not_captured" || state === "not_permitted" || state === "missing")
    return t(`trace.capture.${state}.hint`);
  return undefined;
}
