import type { ExecutionSummary } from "@spanloom/model";
import type { Session } from "./database.ts";
import { isWellFormed, keyText } from "./key-text.ts";

/** An execution's row, and its number for further questions. */
export interface FoundExecution {
  no: number;
  scopeNo: number;
  /** Without spans: it only tells those who followed it what went away. */
  hidden: boolean;
  summary: ExecutionSummary;
}

/** The execution; also a hidden one. `undefined` where the scope does not have it. */
export async function findExecution(
  session: Session,
  schema: string,
  scopeNo: number | undefined,
  executionId: string,
): Promise<FoundExecution | undefined> {
  // Ids in the tables are well-formed: this one would be found as another.
  if (scopeNo === undefined || typeof executionId !== "string" || !isWellFormed(executionId))
    return undefined;
  const [row] = await session.rows(
    `SELECT exec_no::float8, span_count, summary::text FROM ${schema}.execution WHERE scope_no = $1 AND execution_id = $2`,
    scopeNo,
    keyText(executionId),
  );
  if (row === undefined) return undefined;
  const [no, spans, summary] = row as [number, number, string];
  return { no, scopeNo, hidden: spans === 0, summary: JSON.parse(summary) as ExecutionSummary };
}
