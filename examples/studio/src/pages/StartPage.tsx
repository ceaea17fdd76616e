import type { ReactElement } from "react";
import { Link } from "wouter";
import { ExecutionList } from "../parts/ExecutionList.tsx";
import { StartForm } from "../parts/StartForm.tsx";
import { useWorkflows } from "../workflows.tsx";

export function StartPage(): ReactElement {
  const workflows = useWorkflows();
  return (
    <div className="start-page">
      <div>
        <h1>Workflows</h1>
        {workflows.map((workflow) => (
          <section key={workflow.id} className="workflow" aria-label={workflow.name}>
            <h2>
              <Link className="workflow-link" href={`/workflows/${workflow.id}`}>
                {workflow.name}
              </Link>
            </h2>
            <p>{workflow.description}</p>
            <StartForm workflow={workflow} />
          </section>
        ))}
      </div>
      <aside aria-labelledby="latest">
        <h2 id="latest">Running and recent</h2>
        <ExecutionList
          label="Running and recent"
          query={{ limit: 12 }}
          href={({ executionId, workflowId = "" }) =>
            `/workflows/${encodeURIComponent(workflowId)}?tab=trace&execution=${executionId}`
          }
          empty={{ title: "Nothing has run yet", hint: "Start a workflow and it appears here." }}
        />
      </aside>
    </div>
  );
}
