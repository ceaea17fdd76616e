import { createContext, type ReactElement, type ReactNode, useContext, useEffect, useState } from "react";
import { useSession } from "./session.ts";

export interface WorkflowInfo {
  id: string;
  name: string;
  description: string;
  documents: { id: string; title: string }[];
}

type Loaded = { workflows: WorkflowInfo[] } | { error: Error } | undefined;

const WorkflowsContext = createContext<readonly WorkflowInfo[]>([]);

/** Reads the workflows that can be started, once, and shows the pages when they are there. */
export function WorkflowsProvider({ children }: { children: ReactNode }): ReactElement | null {
  const session = useSession();
  const [loaded, setLoaded] = useState<Loaded>();
  useEffect(() => {
    let current = true;
    session.request<WorkflowInfo[]>("/workflows").then(
      (workflows) => current && setLoaded({ workflows }),
      (error) => current && setLoaded({ error }),
    );
    return () => {
      current = false;
    };
  }, [session]);
  if (loaded === undefined) return null;
  if ("error" in loaded) {
    return (
      <p className="notice notice-error" role="alert">
        The workflows cannot be read. {loaded.error.message} Is the studio's server running? Reload the page
        when it is.
      </p>
    );
  }
  return <WorkflowsContext value={loaded.workflows}>{children}</WorkflowsContext>;
}

/** What a run is about: its thread is the document. */
export function useDocumentTitle(): (execution: { threadId?: string }) => string {
  const documents = useWorkflows().flatMap((workflow) => workflow.documents);
  return ({ threadId }) => documents.find(({ id }) => id === threadId)?.title ?? "Unknown document";
}

export function useWorkflows(): readonly WorkflowInfo[] {
  return useContext(WorkflowsContext);
}
