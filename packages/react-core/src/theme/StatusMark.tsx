import type { ExecutionStatus } from "@spanloom/model";
import type { ReactElement } from "react";
import { coreMessages } from "../messages/core-messages.ts";
import { useMessages } from "../messages/messages.ts";

/** A status as icon and word: never colour alone. */
export function StatusMark({ status }: { status: ExecutionStatus }): ReactElement {
  const t = useMessages(coreMessages);
  return (
    <span className={`sl-status sl-status-${status}`}>
      <svg className="sl-status-icon" viewBox="0 0 16 16" aria-hidden="true">
        <path
          d={ICONS[status]}
          fill="none"
          stroke="currentColor"
          strokeWidth="2"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
      <span>{t(`status.${status}`)}</span>
    </span>
  );
}

const ICONS: Record<ExecutionStatus, string> = {
  queued: "M3 8h.01M8 8h.01M13 8h.01",
  running: "M8 2.500a5.5 5.5 0 1 1-5.5 5.5",
  waiting: "M5.5 3.500v9M10.5 3.500v9",
  completed: "M3 8.5 6.5 12 13 4.5",
  failed: "M4 4l8 8M12 4l-8 8",
  cancelled: "M8 2.500a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11ZM4.5 11.500l7-7",
  lost: "M6 5.500a2 2 0 1 1 2.8 1.900c-.6.3-.8.7-.8 1.400M8 12h.01",
};
