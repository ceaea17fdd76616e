import { NOTHING_LEFT, SUM_COLUMNS, type Sums, takesAway } from "../../sql/sums.ts";
import { columnsOf, type SqlValue } from "./client.ts";
import type { SumTarget } from "./save.ts";
import type { StatRow, StatRows, StatUsageRow, UsageRow } from "./stat-rows.ts";

/** SQL that adds rows to those of a table with the same key, or makes them: scope, then one array for each column. */
function addSql(schema: string, table: string, key: readonly string[], added: readonly string[]): string {
  const types = [...key.map((column) => column.split(" ")[1]), ...added.map(() => "float8")];
  const keys = key.map((column) => column.split(" ")[0]).join(", ");
  return `INSERT INTO ${schema}.${table} (scope_no, ${keys}, ${added.join(", ")})
    SELECT $1, * FROM unnest(${types.map((type, index) => `$${index + 2}::${type}[]`).join(", ")})
    ON CONFLICT (scope_no, ${keys}) DO UPDATE SET ${added.map((column) => `${column} = ${table}.${column} + excluded.${column}`).join(", ")}`;
}

/** SQL that removes those rows of a table that have one of the keys and nothing left: scope, then one array for each column. */
function removeSql(schema: string, table: string, key: readonly string[], nothingLeft: string): string {
  const types = key.map((column) => column.split(" ")[1]);
  const keys = key.map((column) => column.split(" ")[0]);
  return `DELETE FROM ${schema}.${table} WHERE ctid = ANY(ARRAY(
    SELECT found.ctid FROM unnest(${types.map((type, index) => `$${index + 2}::${type}[]`).join(", ")}) AS k(${keys.join(", ")})
    CROSS JOIN LATERAL (
      SELECT t.ctid FROM ${schema}.${table} t
      WHERE t.scope_no = $1 AND ${keys.map((column) => `t.${column} = k.${column}`).join(" AND ")} AND ${nothingLeft} OFFSET 0) AS found))`;
}

const USAGE_KEY = ["cube smallint", "grain int", "bucket bigint", "workflow_no int", "model_no int"];
const STAT_KEY = [
  ...[
    "kind smallint",
    "cube smallint",
    "grain int",
    "bucket bigint",
    "workflow_no int",
    "key_no int",
    "slot smallint",
  ],
];
const TYPE_KEY = ["cube smallint", "grain int", "bucket bigint", "workflow_no int", "type_no int"];

function sumColumns<R extends { sums: Sums }>(): ((row: R) => SqlValue)[] {
  return SUM_COLUMNS.map(
    (_, index) =>
      ({ sums }: R) =>
        sums[index] ?? 0,
  );
}

export async function addUsage(
  { session, schema, scopeNo }: SumTarget,
  rows: readonly UsageRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await session.rows(
    addSql(schema, "usage", USAGE_KEY, SUM_COLUMNS),
    scopeNo,
    ...columnsOf<UsageRow>(
      rows,
      ({ cube }) => cube,
      ({ grain }) => grain,
      ({ bucket }) => bucket,
      ({ workflowNo }) => workflowNo,
      ({ modelNo }) => modelNo,
      ...sumColumns<UsageRow>(),
    ),
  );
  const less = rows.filter(({ sums }) => takesAway(sums));
  if (less.length === 0) return;
  await session.rows(
    removeSql(schema, "usage", USAGE_KEY, NOTHING_LEFT),
    scopeNo,
    ...columnsOf(
      less,
      ({ cube }) => cube,
      ({ grain }) => grain,
      ({ bucket }) => bucket,
      ({ workflowNo }) => workflowNo,
      ({ modelNo }) => modelNo,
    ),
  );
}

export async function addStats(target: SumTarget, { stats, usage }: StatRows): Promise<void> {
  await addCounts(target, stats);
  await addTypeSums(target, usage);
}

async function addCounts({ session, schema, scopeNo }: SumTarget, rows: readonly StatRow[]): Promise<void> {
  if (rows.length === 0) return;
  const key: ((row: StatRow) => SqlValue)[] = [
    ({ kind }) => kind,
    ({ cube }) => cube,
    ({ grain }) => grain,
    ({ bucket }) => bucket,
    ({ workflowNo }) => workflowNo,
    ({ keyNo }) => keyNo,
    ({ slot }) => slot,
  ];
  await session.rows(
    addSql(schema, "stat", STAT_KEY, ["n"]),
    scopeNo,
    ...columnsOf(rows, ...key, ({ count }) => count),
  );
  const less = rows.filter(({ count }) => count < 0);
  if (less.length === 0) return;
  await session.rows(removeSql(schema, "stat", STAT_KEY, "n = 0"), scopeNo, ...columnsOf(less, ...key));
}

async function addTypeSums(
  { session, schema, scopeNo }: SumTarget,
  rows: readonly StatUsageRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const key: ((row: StatUsageRow) => SqlValue)[] = [
    ({ cube }) => cube,
    ({ grain }) => grain,
    ({ bucket }) => bucket,
    ({ workflowNo }) => workflowNo,
    ({ typeNo }) => typeNo,
  ];
  await session.rows(
    addSql(schema, "stat_usage", TYPE_KEY, SUM_COLUMNS),
    scopeNo,
    ...columnsOf(rows, ...key, ...sumColumns<StatUsageRow>()),
  );
  const less = rows.filter(({ sums }) => takesAway(sums));
  if (less.length === 0) return;
  await session.rows(
    removeSql(schema, "stat_usage", TYPE_KEY, NOTHING_LEFT),
    scopeNo,
    ...columnsOf(less, ...key),
  );
}
