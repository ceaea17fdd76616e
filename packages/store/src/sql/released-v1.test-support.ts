/** The tables of version 1 as they were released, word for word. */
export const RELEASED_V1: string = `
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
  items INTEGER NOT NULL DEFAULT 0, tok_input INTEGER NOT NULL DEFAULT 0, tok_output INTEGER NOT NULL DEFAULT 0, tok_cached INTEGER NOT NULL DEFAULT 0, tok_cache_write INTEGER NOT NULL DEFAULT 0, tok_reasoning INTEGER NOT NULL DEFAULT 0, tok_total INTEGER NOT NULL DEFAULT 0, nano_usd INTEGER NOT NULL DEFAULT 0, known_input INTEGER NOT NULL DEFAULT 0, known_output INTEGER NOT NULL DEFAULT 0, known_cached INTEGER NOT NULL DEFAULT 0, known_cache_write INTEGER NOT NULL DEFAULT 0, known_reasoning INTEGER NOT NULL DEFAULT 0, known_total INTEGER NOT NULL DEFAULT 0, priced INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT 0,
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
  items INTEGER NOT NULL DEFAULT 0, tok_input INTEGER NOT NULL DEFAULT 0, tok_output INTEGER NOT NULL DEFAULT 0, tok_cached INTEGER NOT NULL DEFAULT 0, tok_cache_write INTEGER NOT NULL DEFAULT 0, tok_reasoning INTEGER NOT NULL DEFAULT 0, tok_total INTEGER NOT NULL DEFAULT 0, nano_usd INTEGER NOT NULL DEFAULT 0, known_input INTEGER NOT NULL DEFAULT 0, known_output INTEGER NOT NULL DEFAULT 0, known_cached INTEGER NOT NULL DEFAULT 0, known_cache_write INTEGER NOT NULL DEFAULT 0, known_reasoning INTEGER NOT NULL DEFAULT 0, known_total INTEGER NOT NULL DEFAULT 0, priced INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (exec_no, bucket, model_no)) WITHOUT ROWID;
CREATE TABLE usage (
  scope_no INTEGER NOT NULL, cube INTEGER NOT NULL, grain INTEGER NOT NULL, bucket INTEGER NOT NULL,
  workflow_no INTEGER NOT NULL, model_no INTEGER NOT NULL,
  items INTEGER NOT NULL DEFAULT 0, tok_input INTEGER NOT NULL DEFAULT 0, tok_output INTEGER NOT NULL DEFAULT 0, tok_cached INTEGER NOT NULL DEFAULT 0, tok_cache_write INTEGER NOT NULL DEFAULT 0, tok_reasoning INTEGER NOT NULL DEFAULT 0, tok_total INTEGER NOT NULL DEFAULT 0, nano_usd INTEGER NOT NULL DEFAULT 0, known_input INTEGER NOT NULL DEFAULT 0, known_output INTEGER NOT NULL DEFAULT 0, known_cached INTEGER NOT NULL DEFAULT 0, known_cache_write INTEGER NOT NULL DEFAULT 0, known_reasoning INTEGER NOT NULL DEFAULT 0, known_total INTEGER NOT NULL DEFAULT 0, priced INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (scope_no, cube, grain, bucket, workflow_no, model_no)) WITHOUT ROWID;
`;

/** What marked a file of version 1. */
export const RELEASED_V1_MARKS = "PRAGMA application_id = 1397771341; PRAGMA user_version = 1";
