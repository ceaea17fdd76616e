import type { Action } from "@spanloom/model/http";

/** One request that was answered or refused. Live streams are told once, when they open. */
export interface AuditEvent {
  /** RFC 3339. */
  time: string;
  action: Action;
  executionId?: string;
  spanId?: string;
  outcome: "allowed" | "denied";
  /** The HTTP status: an allowed request may still end in 404 or 304. */
  status: number;
  /** Who asked, and with which rights; absent where the caller was refused. */
  scope?: string;
  roles?: readonly string[];
  subject?: string;
  /** Whether content could be seen in the answer. */
  content: boolean;
  /** Whether it may have been as it was before redaction. */
  rawContent?: true;
}

/** Awaited before the answer leaves. Where it throws, the caller gets a 500: a view that is not on record is not given. */
export type OnAudit = (event: AuditEvent) => void | Promise<void>;
