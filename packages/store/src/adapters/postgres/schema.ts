import { SUM_COLUMNS } from "../../sql/sums.ts";

/** The version of the tables below; kept in the table `migration`. */
export const POSTGRES_SCHEMA_VERSION = 1;

/** One step to the newest tables, as plain SQL. */
export interface PostgresMigration {
  /** The version that the tables have after it. */
  version: number;
  /** Statements without a transaction of their own: run them in one. */
  sql: string;
}

/**
 * What makes the tables of the store, for hosts whose application may not: run, in order and each in one transaction, those
 * above the greatest version in `<schema>.migration`, and open the store with `migrations: "refuse"`.
 */
export function postgresMigrations(schema = "spanloom"): PostgresMigration[] {
  const name = quoteName(schema);
  return STEPS.map(({ version, sql }) => ({
    version,
    sql: `${sql(name).trim()}\nINSERT INTO ${name}.migration (version) VALUES (${version});\n`,
  }));
}

/** An identifier as SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * The sums as doubles: they hold whole numbers exactly up to 2^53, as JavaScript does, and what a hostile record adds beyond
 * cannot make every later write overflow.
 */
const sums = SUM_COLUMNS.map((column) => `${column} double precision NOT NULL`).join(", ");
const text = 'text COLLATE "C"';

/**
 * The tables of version 1.
 *
 * - Keys made of text are stored by `keyText`: ordered by bytes, they stand as JavaScript orders them.
 * - `scope.version` counts its commits. `execution.version` is the commit that last changed it, so that a process finds what others
 *   changed since its own last write; `scope.epoch` grows when that does not tell enough, and everything must be read again.
 *   `watermark` is the greatest time that was pruned by; sums of days before `sums_from` (Unix seconds) are dropped.
 * - `span` has what writing and ordering need, then the record as two JSON texts, so that a skeleton is read without its payload.
 *   `executionId` stands in neither: it is the row's execution. `rest_text` holds what JSONB cannot (NUL, lone surrogates).
 *   The lengths, in characters, tell what fits a page before it is read. `facts` is what roots and cache accesses say to their execution beside their skeleton.
 * - `seq` numbers the changes of one execution: each changed span has its own, so that a feed can be cut anywhere. `ins_seq` is the
 *   one by which the span came to its execution. `span_gone` are those that left it.
 * - An execution without spans stays as long as its feed has something to tell, or because late spans are refused (`deleted`).
 * - `usage` adds a scope up by time grain (seconds), in four cubes: the total, by workflow (1), by model (2), by both (3), so that a chart
 *   reads only what it shows. `stat` and `stat_usage` do the same for analytics, in two cubes: all workflows, and each (1). Their rows of
 *   grain 0, in the finest cube, are what pruned executions have added: recompute builds upon it.
 */
const SCHEMA_V1 = (schema: string): string => `
CREATE SCHEMA IF NOT EXISTS ${schema};
CREATE TABLE ${schema}.migration (
  version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE ${schema}.scope (
  scope_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name ${text} NOT NULL UNIQUE,
  version bigint NOT NULL DEFAULT 0, epoch bigint NOT NULL DEFAULT 0,
  watermark bigint NOT NULL DEFAULT 0, sums_from bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50);
CREATE TABLE ${schema}.dim (
  dim_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, scope_no integer NOT NULL, type smallint NOT NULL,
  hash uuid NOT NULL, value json NOT NULL, UNIQUE (scope_no, type, hash));

CREATE SEQUENCE ${schema}.execution_no INCREMENT BY 64;
CREATE TABLE ${schema}.execution (
  exec_no bigint PRIMARY KEY, seq bigint NOT NULL, version bigint NOT NULL,
  start_time bigint NOT NULL, last_time bigint NOT NULL, duration_ms double precision, nano_usd double precision,
  scope_no integer NOT NULL, workflow_no integer NOT NULL, span_count integer NOT NULL, node_count integer NOT NULL,
  deleted boolean NOT NULL, status ${text} NOT NULL, execution_id ${text} NOT NULL, thread_id ${text},
  workflow_name ${text}, search ${text} NOT NULL, summary json NOT NULL, stats json,
  UNIQUE (scope_no, execution_id));
CREATE INDEX execution_version ON ${schema}.execution (scope_no, version);
CREATE INDEX execution_start ON ${schema}.execution (scope_no, start_time, execution_id) WHERE span_count > 0;
CREATE INDEX execution_workflow ON ${schema}.execution (scope_no, workflow_no, start_time, execution_id) WHERE span_count > 0;
CREATE INDEX execution_thread ON ${schema}.execution (scope_no, thread_id, start_time, execution_id)
  WHERE span_count > 0 AND thread_id IS NOT NULL;
CREATE INDEX execution_duration ON ${schema}.execution (scope_no, duration_ms, execution_id) WHERE span_count > 0;
CREATE INDEX execution_cost ON ${schema}.execution (scope_no, nano_usd, execution_id) WHERE span_count > 0;
CREATE TABLE ${schema}.exec_trace (
  scope_no integer NOT NULL, trace_id uuid NOT NULL, exec_no bigint NOT NULL,
  PRIMARY KEY (scope_no, trace_id, exec_no));
CREATE INDEX exec_trace_exec ON ${schema}.exec_trace (exec_no);
CREATE TABLE ${schema}.trace_refused (
  scope_no integer NOT NULL, trace_id uuid NOT NULL, version bigint NOT NULL,
  PRIMARY KEY (scope_no, trace_id));

CREATE TABLE ${schema}.span (
  exec_no bigint NOT NULL, ins_seq bigint NOT NULL, seq bigint NOT NULL, start_time bigint NOT NULL,
  trace_id uuid NOT NULL, scope_no integer NOT NULL, skeleton_length integer NOT NULL, rest_length integer NOT NULL,
  unnamed boolean NOT NULL,
  span_id ${text} NOT NULL, parent_id ${text}, facts json, skeleton json NOT NULL, rest jsonb, rest_text json,
  PRIMARY KEY (scope_no, trace_id, span_id));
CREATE INDEX span_change ON ${schema}.span (exec_no, seq);
CREATE TABLE ${schema}.span_gone (
  exec_no bigint NOT NULL, seq bigint NOT NULL, trace_id uuid NOT NULL, span_id ${text} NOT NULL,
  PRIMARY KEY (exec_no, trace_id, span_id));
CREATE INDEX span_gone_seq ON ${schema}.span_gone (exec_no, seq);

CREATE TABLE ${schema}.usage (
  scope_no integer NOT NULL, cube smallint NOT NULL, grain integer NOT NULL, bucket bigint NOT NULL,
  workflow_no integer NOT NULL, model_no integer NOT NULL, ${sums},
  PRIMARY KEY (scope_no, cube, grain, bucket, workflow_no, model_no)) WITH (fillfactor = 70);
CREATE TABLE ${schema}.stat (
  scope_no integer NOT NULL, kind smallint NOT NULL, cube smallint NOT NULL, grain integer NOT NULL, bucket bigint NOT NULL,
  workflow_no integer NOT NULL, key_no integer NOT NULL, slot smallint NOT NULL, n double precision NOT NULL,
  PRIMARY KEY (scope_no, kind, cube, grain, bucket, workflow_no, key_no, slot)) WITH (fillfactor = 70);
CREATE TABLE ${schema}.stat_usage (
  scope_no integer NOT NULL, cube smallint NOT NULL, grain integer NOT NULL, bucket bigint NOT NULL,
  workflow_no integer NOT NULL, type_no integer NOT NULL, ${sums},
  PRIMARY KEY (scope_no, cube, grain, bucket, workflow_no, type_no)) WITH (fillfactor = 70);
`;

/** Never changed once released: a mistake is mended by the next. */
const STEPS: readonly { version: number; sql: (schema: string) => string }[] = [
  { version: 1, sql: SCHEMA_V1 },
];
