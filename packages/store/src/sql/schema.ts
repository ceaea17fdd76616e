import { SUM_COLUMNS } from "./sums.ts";

/** The version of the tables below; kept in the file's `user_version`. */
export const STORE_SCHEMA_VERSION = 2;

/** "SPLM": tells our files from those of other applications (SQLite's `application_id`). */
export const APPLICATION_ID = 0x53504c4d;

const sums = SUM_COLUMNS.map((column) => `${column} INTEGER NOT NULL DEFAULT 0`).join(", ");

/**
 * The tables of version 1.
 *
 * - Names (scopes, workflows, nodes, models, traces, executions) become small numbers that are never used again.
 * - `span` is one row a span: what writing and counting need as integers, then the record as two JSON texts, so that a
 *   skeleton is read without the payload. `executionId` stands in neither: it is the row's `exec_no`.
 * - `bears`, `below` (what descendants bear) and `sub` (both) are bits, 1 tokens, 2 cost. `span_gap` keeps them for
 *   parents that are not there yet.
 * - `seq` numbers the changes of one execution: each changed span has its own, so that a feed can be cut anywhere.
 *   `ins_seq` is the one by which the span came to its execution.
 * - `hidden` is 1 for an execution without spans: it only tells those who followed it what went away.
 * - `exec_usage` adds up one execution by quarter-hour and model; `usage` a scope, by time grain (seconds), in four cubes:
 *   the total, by workflow (1), by model (2), by both (3), so that a chart reads only what it shows.
 */
export const SCHEMA_V1: string = `
CREATE TABLE scope (
  scope_no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE dim (
  dim_no INTEGER PRIMARY KEY, scope_no INTEGER NOT NULL, type INTEGER NOT NULL, value TEXT NOT NULL,
  UNIQUE (scope_no, type, value));
CREATE TABLE trace (
  trace_no INTEGER PRIMARY KEY, scope_no INTEGER NOT NULL, trace_id TEXT NOT NULL,
  namer_exec INTEGER, namer_rank INTEGER, namer_ms INTEGER, namer_ns INTEGER, namer_span TEXT,
  refuses_unnamed INTEGER NOT NULL DEFAULT 0,
  UNIQUE (scope_no, trace_id));

CREATE TABLE execution (
  exec_no INTEGER PRIMARY KEY, scope_no INTEGER NOT NULL, execution_id TEXT NOT NULL,
  seq INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0, hidden INTEGER NOT NULL DEFAULT 0,
  n_spans INTEGER NOT NULL, n_open INTEGER NOT NULL, n_errors INTEGER NOT NULL, n_nodes INTEGER NOT NULL,
  n_gone INTEGER NOT NULL, first_ms INTEGER, first_ns INTEGER, last_ms INTEGER, last_ns INTEGER,
  workflow_no INTEGER NOT NULL DEFAULT 0, workflow_name TEXT, thread_id TEXT, search TEXT NOT NULL,
  status TEXT NOT NULL, root_span TEXT,
  start_ms INTEGER NOT NULL, start_ns INTEGER NOT NULL, end_ms INTEGER, end_ns INTEGER, duration_ms REAL,
  service TEXT, service_version TEXT, environment TEXT,
  ${sums},
  UNIQUE (scope_no, execution_id));
CREATE INDEX execution_start ON execution (scope_no, start_ms, start_ns, execution_id) WHERE hidden = 0;
CREATE INDEX execution_workflow ON execution (scope_no, workflow_no, start_ms, start_ns, execution_id) WHERE hidden = 0;
CREATE INDEX execution_thread ON execution (scope_no, thread_id, start_ms, start_ns, execution_id) WHERE hidden = 0 AND thread_id IS NOT NULL;
CREATE INDEX execution_duration ON execution (scope_no, duration_ms, execution_id) WHERE hidden = 0;
CREATE INDEX execution_cost ON execution (scope_no, (CASE WHEN priced > 0 THEN nano_usd END), execution_id) WHERE hidden = 0;
CREATE TABLE exec_trace (
  exec_no INTEGER NOT NULL, trace_no INTEGER NOT NULL, n_spans INTEGER NOT NULL,
  PRIMARY KEY (exec_no, trace_no)) WITHOUT ROWID;
CREATE TABLE exec_node (
  exec_no INTEGER NOT NULL, node_no INTEGER NOT NULL, n_spans INTEGER NOT NULL,
  PRIMARY KEY (exec_no, node_no)) WITHOUT ROWID;

CREATE TABLE span (
  trace_no INTEGER NOT NULL, span_id TEXT NOT NULL, parent_id TEXT,
  exec_no INTEGER NOT NULL, unnamed INTEGER NOT NULL, ins_seq INTEGER NOT NULL, seq INTEGER NOT NULL,
  phase INTEGER NOT NULL, revision INTEGER NOT NULL,
  start_ms INTEGER NOT NULL, start_ns INTEGER NOT NULL, end_ms INTEGER, end_ns INTEGER,
  is_error INTEGER NOT NULL, node_no INTEGER NOT NULL, root_rank INTEGER, root_status INTEGER,
  counts INTEGER NOT NULL, has_cache INTEGER NOT NULL,
  bears INTEGER NOT NULL, below INTEGER NOT NULL, sub INTEGER NOT NULL,
  skeleton TEXT NOT NULL, rest TEXT NOT NULL,
  UNIQUE (trace_no, span_id));
CREATE INDEX span_change ON span (exec_no, seq);
CREATE INDEX span_sub ON span (trace_no, parent_id, sub) WHERE sub > 0;
CREATE INDEX span_root ON span (exec_no, root_rank, start_ms, start_ns, span_id) WHERE root_rank IS NOT NULL;
CREATE INDEX span_unnamed ON span (trace_no) WHERE unnamed = 1;
CREATE INDEX span_cache ON span (exec_no) WHERE has_cache = 1;
CREATE TABLE span_gap (
  trace_no INTEGER NOT NULL, span_id TEXT NOT NULL, bits INTEGER NOT NULL,
  PRIMARY KEY (trace_no, span_id)) WITHOUT ROWID;
CREATE TABLE span_gone (
  exec_no INTEGER NOT NULL, trace_no INTEGER NOT NULL, span_id TEXT NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (exec_no, trace_no, span_id)) WITHOUT ROWID;
CREATE INDEX span_gone_seq ON span_gone (exec_no, seq);

CREATE TABLE exec_usage (
  exec_no INTEGER NOT NULL, bucket INTEGER NOT NULL, model_no INTEGER NOT NULL,
  ${sums},
  PRIMARY KEY (exec_no, bucket, model_no)) WITHOUT ROWID;
CREATE TABLE usage (
  scope_no INTEGER NOT NULL, cube INTEGER NOT NULL, grain INTEGER NOT NULL, bucket INTEGER NOT NULL,
  workflow_no INTEGER NOT NULL, model_no INTEGER NOT NULL,
  ${sums},
  PRIMARY KEY (scope_no, cube, grain, bucket, workflow_no, model_no)) WITHOUT ROWID;
`;

/**
 * What version 2 adds: analytics, and retention.
 *
 * - `scope.watermark` is the greatest time up to which executions were pruned; sums of days before `sums_from` (Unix
 *   seconds) are dropped, and come back by nothing.
 * - `execution.stats_seq` is the `seq` whose statistics are in the sums below; `exec_stats` keeps what they are, so that
 *   they can be taken away again. Whoever asks for analytics settles what is behind, or the idle store does.
 * - `stat_slots` counts by slot, as `[slot, count, ...]`: executions by status (series 0) and by how long they took (1),
 *   nodes of a type (2) and calls of a model (3) by how long they took. `stat_sums` has what the nodes of a type count for.
 *   Cubes are the total (0) and by workflow (1).
 * - Cube 4, there and in `usage`, is what pruned executions had added, by everything and by quarter-hour: they are gone,
 *   and every other row can be worked out again from this one and from what is there.
 * - A pruned execution goes at once under a scope number below 0, and so do its traces; their rows are then swept away in
 *   small steps.
 */
export const SCHEMA_V2: string = `
ALTER TABLE scope ADD COLUMN watermark TEXT;
ALTER TABLE scope ADD COLUMN sums_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE execution ADD COLUMN stats_seq INTEGER NOT NULL DEFAULT 0;
CREATE INDEX execution_unsettled ON execution (scope_no, start_ms) WHERE stats_seq < seq;
CREATE TABLE exec_stats (
  exec_no INTEGER PRIMARY KEY, stats TEXT NOT NULL);
CREATE TABLE stat_slots (
  scope_no INTEGER NOT NULL, series INTEGER NOT NULL, cube INTEGER NOT NULL, grain INTEGER NOT NULL, bucket INTEGER NOT NULL,
  workflow_no INTEGER NOT NULL, key_no INTEGER NOT NULL, slots TEXT NOT NULL,
  PRIMARY KEY (scope_no, series, cube, grain, bucket, workflow_no, key_no)) WITHOUT ROWID;
CREATE TABLE stat_sums (
  scope_no INTEGER NOT NULL, cube INTEGER NOT NULL, grain INTEGER NOT NULL, bucket INTEGER NOT NULL,
  workflow_no INTEGER NOT NULL, key_no INTEGER NOT NULL,
  ${sums},
  PRIMARY KEY (scope_no, cube, grain, bucket, workflow_no, key_no)) WITHOUT ROWID;
`;
