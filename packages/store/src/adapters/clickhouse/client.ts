import { Readable } from "node:stream";
import { toStoreError } from "./errors.ts";

/**
 * The part of `@clickhouse/client` that the store uses, so that a host may also pass one of its own making. Settings and
 * parameters go with each call; answers are JSON. Spans are inserted as a stream of text, other rows as an array.
 */
export interface ClickHouseClient {
  query(call: {
    query: string;
    query_params?: Record<string, unknown>;
    clickhouse_settings?: Record<string, string | number>;
    format: "JSONEachRow";
  }): Promise<{ json(): Promise<unknown> }>;
  insert(call: {
    table: string;
    columns?: Columns;
    values: readonly unknown[] | Readable;
    format: "JSONEachRow" | "TabSeparated";
    clickhouse_settings?: Record<string, string | number>;
  }): Promise<unknown>;
  command(call: {
    query: string;
    query_params?: Record<string, unknown>;
    clickhouse_settings?: Record<string, string | number>;
  }): Promise<unknown>;
  close(): Promise<void>;
}

export type Columns = [string, ...string[]];
export type Params = Record<string, string | number | readonly string[] | readonly number[]>;

/** What the adapter asks of a database. Rejects with errors of the family. */
export interface Database {
  /** The database's name, quoted. */
  readonly name: string;
  rows<Row>(query: string, params?: Params): Promise<Row[]>;
  /** Resolves when the rows are stored. */
  insert(table: string, rows: readonly object[]): Promise<void>;
  /** As `insert`, for many large rows: each a line of TabSeparated. */
  insertLines(table: string, columns: Columns, lines: Iterable<string>): Promise<void>;
  command(query: string, params?: Params): Promise<void>;
  close(): Promise<void>;
}

/** Numbers come as numbers, whatever the server's own settings; those that would lose digits are asked for as text. */
const SETTINGS = { output_format_json_quote_64bit_integers: 0 };
/** An insert is answered when its rows are stored, also where a server is set to gather them. */
const INSERTS = { async_insert: 0, wait_for_async_insert: 1 };
/** Text is what it says, also where a server takes some words for NULL. */
const LINES = { ...INSERTS, input_format_null_as_default: 0 };
const DELETES = { lightweight_deletes_sync: 2, mutations_sync: 2 };

export function createDatabase(client: () => Promise<ClickHouseClient>, database: string): Database {
  const name = `\`${database}\``;
  let opened: Promise<ClickHouseClient> | undefined;
  const run = async <T>(work: (client: ClickHouseClient) => Promise<T>): Promise<T> => {
    try {
      opened ??= client();
      return await work(await opened);
    } catch (error) {
      throw toStoreError(error);
    }
  };
  return {
    name,
    rows: <Row>(query: string, params: Params = {}) =>
      run(async (open) => {
        const call = {
          query,
          query_params: params,
          clickhouse_settings: SETTINGS,
          format: "JSONEachRow",
        } as const;
        return (await (await open.query(call)).json()) as Row[];
      }),
    insert: (table, values) =>
      run(async (open) => {
        if (values.length === 0) return;
        await open.insert({
          table: `${name}.${table}`,
          values,
          format: "JSONEachRow",
          clickhouse_settings: INSERTS,
        });
      }),
    insertLines: (table, columns, lines) =>
      run(async (open) => {
        await open.insert({
          table: `${name}.${table}`,
          columns,
          values: Readable.from(pieces(lines), { objectMode: false }),
          format: "TabSeparated",
          clickhouse_settings: LINES,
        });
      }),
    command: (query, params = {}) =>
      run(async (open) => {
        await open.command({ query, query_params: params, clickhouse_settings: DELETES });
      }),
    close: async () => {
      if (opened !== undefined) await run((open) => open.close());
    },
  };
}

const PIECE_LENGTH = 65_536;

/** Lines put together, so that each write to the socket is worth it. */
function* pieces(lines: Iterable<string>): Generator<string, void, undefined> {
  let piece = "";
  for (const line of lines) {
    piece += line;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}
