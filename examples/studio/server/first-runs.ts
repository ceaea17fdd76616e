import type { Workflow } from "./catalogue.ts";
import type { Runner } from "./runner.ts";

/** How many run side by side. */
const LANES = 3;

/** Runs every workflow over every document once, so that a new store has something to show. Nothing is made up. */
export async function runOnce(
  workflows: readonly Workflow[],
  runner: Runner,
  say: (line: string) => void,
): Promise<void> {
  const waiting = workflows.flatMap((workflow) =>
    workflow.documents.map((document) => ({ workflow, document })),
  );
  const total = waiting.length;
  let done = 0;
  say(`The store is empty: running the workflows once, ${total} runs.`);
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { workflow, document } = next;
      const run = runner.start({ workflowId: workflow.id, documentId: document.id, pace: "quick" });
      const outcome = await run?.finished;
      done += 1;
      say(`  ${done}/${total} ${workflow.name}, ${document.title}: ${outcome}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
