import { type FormEvent, type ReactElement, useState } from "react";
import { useLocation } from "wouter";
import { useSession } from "../session.ts";
import type { WorkflowInfo } from "../workflows.tsx";

/** Chooses a document and starts a run; then goes to its trace. */
export function StartForm({ workflow }: { workflow: WorkflowInfo }): ReactElement {
  const session = useSession();
  const [, navigate] = useLocation();
  const [problem, setProblem] = useState<string>();
  const [starting, setStarting] = useState(false);
  const mayStart = session.role !== "auditor";

  async function start(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setProblem(undefined);
    setStarting(true);
    try {
      const { executionId } = await session.request<{ executionId: string }>("/executions", {
        method: "POST",
        body: JSON.stringify({
          workflowId: workflow.id,
          documentId: form.get("document"),
          pace: form.get("slow") ? "slow" : "quick",
        }),
      });
      navigate(`/workflows/${workflow.id}?tab=trace&execution=${executionId}`);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setStarting(false);
    }
  }

  return (
    <form className="start-form" onSubmit={(event) => void start(event)}>
      <label>
        <span>Document</span>
        <select name="document">
          {workflow.documents.map((document) => (
            <option key={document.id} value={document.id}>
              {document.title}
            </option>
          ))}
        </select>
      </label>
      <label className="check">
        <input type="checkbox" name="slow" defaultChecked />
        <span>Slow models, to watch it grow</span>
      </label>
      <button type="submit" className="primary" disabled={!mayStart || starting}>
        Start <span className="visually-hidden">{workflow.name}</span>
      </button>
      {mayStart ? null : <p className="hint">Auditors may look, but start nothing.</p>}
      {problem === undefined ? null : (
        <p className="notice notice-error" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}
