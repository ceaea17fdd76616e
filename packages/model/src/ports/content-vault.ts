import type { Content } from "../content.ts";
import type { ContentField } from "../content-rule.ts";

/** The contents of a span as they were before redaction. */
export type RawContent = { [Field in ContentField]?: Content };

/** Which span's content it is. */
export interface VaultAddress {
  scope: string;
  executionId: string;
  traceId: string;
  spanId: string;
}

/** Who reads, for the record that the vault keeps of every read. */
export interface VaultReader {
  /** As `authorize` names the caller. */
  subject?: string;
  roles?: readonly string[];
}

/**
 * Keeps raw content, encrypted, apart from the store. Optional. Errors are `vault_failed` and never hold content.
 */
export interface ContentVault {
  /** Keeps the fields that are given; each takes the place of an earlier one. Of a deleted execution nothing is kept. */
  put(address: VaultAddress, content: RawContent): Promise<void>;
  /** Puts the read on record, then gives the content. Where that fails, nothing is given. `undefined` where there is none. */
  get(address: VaultAddress, reader: VaultReader): Promise<RawContent | undefined>;
  /** Removes what is kept of the execution, and refuses what comes late for it. */
  deleteExecution(scope: string, executionId: string): Promise<void>;
}
