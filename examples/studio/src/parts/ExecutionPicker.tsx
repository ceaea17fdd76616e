import type { ExecutionSummary } from "@spanloom/model";
import { useFormat } from "@spanloom/react-core";
import type { ReactElement } from "react";
import { useDocumentTitle } from "../workflows.tsx";

export interface ExecutionPickerProps {
  executions: readonly ExecutionSummary[];
  executionId: string;
  onPick(executionId: string): void;
}

/** The execution that all tabs show. One that is older than the list stays selectable by its id. */
export function ExecutionPicker({ executions, executionId, onPick }: ExecutionPickerProps): ReactElement {
  const format = useFormat();
  const titleOf = useDocumentTitle();
  const listed = executions.some((execution) => execution.executionId === executionId);
  return (
    <label className="switch">
      <span>Execution</span>
      <select value={executionId} onChange={(event) => onPick(event.target.value)}>
        {listed ? null : <option value={executionId}>{executionId.slice(0, 8)}</option>}
        {executions.map((execution) => (
          <option key={execution.executionId} value={execution.executionId}>
            {titleOf(execution)} · {format.dateTime(execution.startTime)}
          </option>
        ))}
      </select>
    </label>
  );
}
