/** What the store uses of a `pg` pool. Another driver stands in by giving the same; so does a single connection. */
export interface PostgresPool {
  /** A connection for one transaction, or for listening. */
  connect(): Promise<PostgresClient>;
  options?: { max?: number };
}

/** What the store uses of a `pg` client. */
export interface PostgresClient {
  /**
   * Runs one statement; without `values`, also several separated by `;`. Rows come as arrays. Rejects with an error whose
   * `code` is the SQLSTATE.
   */
  query(query: PostgresQuery): Promise<{ rows: unknown[][] }>;
  /** Gives the connection back; with an error, it is closed. */
  release(error?: Error): void;
  /** Of an event emitter. Without it, watchers hear of other processes' commits only by asking. */
  on?: ListenToClient;
  removeListener?: ListenToClient;
}

interface ListenToClient {
  /** The connection is lost. */
  (event: "error", listener: (error: Error) => void): unknown;
  /** It has ended. */
  (event: "end", listener: () => void): unknown;
  /** Somebody sent NOTIFY on a channel to which it listens. */
  (event: "notification", listener: (message: { payload?: string }) => void): unknown;
}

export interface PostgresQuery {
  text: string;
  values?: SqlValue[];
  /** The server keeps the plan of a statement with a name, for this connection. */
  name?: string;
  rowMode: "array";
}

/** Arrays are sent as literals, see {@link arrayOf}: every driver understands them. */
export type SqlValue = string | number | boolean | null;

/** A Postgres array literal. Source: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
export function arrayOf(values: readonly SqlValue[]): string {
  let text = "{";
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as SqlValue;
    if (index > 0) text += ",";
    if (value === null) text += "NULL";
    else if (typeof value === "string") text += `"${ESCAPED.test(value) ? escapeElement(value) : value}"`;
    else text += value;
  }
  return `${text}}`;
}

/** Rows as one array literal a column. */
export function columnsOf<R>(rows: readonly R[], ...columns: ((row: R) => SqlValue)[]): string[] {
  return columns.map((column) => arrayOf(rows.map(column)));
}

/**
 * JSON texts as one text, to be read by {@link jsonTexts}. They hold no raw control character, so that nothing must be escaped:
 * JSON in an array literal takes as long to write, and to read, as the JSON itself.
 */
export function joinJson(texts: readonly (string | null)[]): string {
  return texts.join("\u001e");
}

/** SQL that makes an array of texts of what {@link joinJson} joined. */
export function jsonTexts(parameter: string): string {
  return `string_to_array(${parameter}, E'\\x1e', '')`;
}

const ESCAPED = /["\\]/;

function escapeElement(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
}
