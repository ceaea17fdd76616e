import { EXECUTION_SORTS, type ExecutionStatus, type ListExecutionsQuery } from "@spanloom/model";
import type { SortingState } from "@tanstack/react-table";
import { useEffect, useMemo, useState } from "react";

interface Asked {
  text: string;
  status: ExecutionStatus | undefined;
  sorting: SortingState;
  /** Cursors of the pages behind the first, the shown one last. */
  cursors: readonly string[];
}

export interface HistoryQuery extends Asked {
  query: ListExecutionsQuery;
  /** What stands in the text field; it is asked for when the typing rests. */
  draft: string;
  setDraft(text: string): void;
  /** Another filter or order begins again at the first page. */
  ask(change: Partial<Omit<Asked, "cursors">>): void;
  clear(): void;
  next(cursor: string): void;
  previous(): void;
  first(): void;
}

const TYPING_MS = 250;
const BY_DATE: SortingState = [{ id: "startTime", desc: true }];

/** What the table asks the store for: filter, order and page live here, the store does the work. */
export function useHistoryQuery(workflowId: string | undefined, pageSize: number): HistoryQuery {
  const [draft, setDraft] = useState("");
  const [asked, setAsked] = useState<Asked>({ text: "", status: undefined, sorting: BY_DATE, cursors: [] });
  useEffect(() => {
    const timer = setTimeout(() => {
      const text = draft.trim();
      setAsked((before) => (before.text === text ? before : { ...before, text, cursors: [] }));
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [draft]);
  const query = useMemo(() => listQuery(asked, workflowId, pageSize), [asked, workflowId, pageSize]);
  return {
    ...asked,
    query,
    draft,
    setDraft,
    ask: (change) => setAsked((before) => ({ ...before, ...change, cursors: [] })),
    clear() {
      setDraft("");
      setAsked((before) => ({ ...before, text: "", status: undefined, cursors: [] }));
    },
    next: (cursor) => setAsked((before) => ({ ...before, cursors: [...before.cursors, cursor] })),
    previous: () => setAsked((before) => ({ ...before, cursors: before.cursors.slice(0, -1) })),
    first: () => setAsked((before) => ({ ...before, cursors: [] })),
  };
}

function listQuery(
  { text, status, sorting, cursors }: Asked,
  workflowId: string | undefined,
  limit: number,
): ListExecutionsQuery {
  const by = EXECUTION_SORTS.find((sort) => sort === sorting[0]?.id);
  const cursor = cursors.at(-1);
  return {
    limit,
    ...(workflowId !== undefined && { workflowId }),
    ...(text !== "" && { text }),
    ...(status !== undefined && { status: [status] }),
    ...(by !== undefined && { sort: { by, direction: sorting[0]?.desc ? "desc" : "asc" } }),
    ...(cursor !== undefined && { cursor }),
  };
}
