import { NOTHING_LEFT, SUM_COLUMNS, type Sums, takesAway } from "../../sql/sums.ts";
import { columnsOf, type SqlValue } from "./client.ts";
import type { SumTarget } from "./save.ts";
import type { StatRow, StatRows, StatUsageRow, UsageRow } from "./stat-rows.ts";

/**
 * SQL that adds rows to those of a table with the same key, or makes them: scope, then one array for each column. Nobody else
 * writes the scope, so rows are looked up once, and not locked before they are changed as by ON CONFLICT.
 */
function addSql(schema: string, table: string, key: readonly string[], added: readonly string[]): string {
  const types = [...key.map((column) => column.split(" ")[1]), ...added.map(() => "float8")];
  const keys = key.map((column) => column.split(" ")[0] as string);
  const same = (a: string, b: string): string =>
    keys.map((column) => `${a}.${column} = ${b}.${column}`).join(" AND ");
  return `WITH given AS MATERIALIZED (
      SELECT * FROM unnest(${types.map((type, index) => `$${index + 2}::${type}[]`).join(", ")}) AS g(${[...keys, ...added].join(", ")})),
    there AS (
      UPDATE ${schema}.${table} t SET ${added.map((column) => `${column} = t.${column} + g.${column}`).join(", ")}
      FROM given g WHERE t.scope_no = $1 AND ${same("t", "g")} RETURNING ${keys.map((column) => `t.${column}`).join(", ")})
    INSERT INTO ${schema}.${table} (scope_no, ${[...keys, ...added].join(", ")})
    SELECT $1, * FROM given g WHERE NOT EXISTS (SELECT 1 FROM there WHERE ${same("there", "g")})`;
}

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
    addSql(
      schema,
      "usage",
      ["cube smallint", "grain int", "bucket bigint", "workflow_no int", "model_no int"],
      SUM_COLUMNS,
    ),
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
    `DELETE FROM ${schema}.usage u USING unnest($2::smallint[], $3::int[], $4::bigint[], $5::int[], $6::int[]) AS r(cube, grain, bucket, workflow_no, model_no)
     WHERE u.scope_no = $1 AND u.cube = r.cube AND u.grain = r.grain AND u.bucket = r.bucket AND u.workflow_no = r.workflow_no
       AND u.model_no = r.model_no AND ${NOTHING_LEFT}`,
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
    addSql(
      schema,
      "stat",
      [
        "kind smallint",
        "cube smallint",
        "grain int",
        "bucket bigint",
        "workflow_no int",
        "key_no int",
        "slot smallint",
      ],
      ["n"],
    ),
    scopeNo,
    ...columnsOf(rows, ...key, ({ count }) => count),
  );
  const less = rows.filter(({ count }) => count < 0);
  if (less.length === 0) return;
  await session.rows(
    `DELETE FROM ${schema}.stat s USING unnest($2::smallint[], $3::smallint[], $4::int[], $5::bigint[], $6::int[], $7::int[], $8::smallint[])
       AS r(kind, cube, grain, bucket, workflow_no, key_no, slot)
     WHERE s.scope_no = $1 AND s.kind = r.kind AND s.cube = r.cube AND s.grain = r.grain AND s.bucket = r.bucket
       AND s.workflow_no = r.workflow_no AND s.key_no = r.key_no AND s.slot = r.slot AND s.n = 0`,
    scopeNo,
    ...columnsOf(less, ...key),
  );
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
    addSql(
      schema,
      "stat_usage",
      ["cube smallint", "grain int", "bucket bigint", "workflow_no int", "type_no int"],
      SUM_COLUMNS,
    ),
    scopeNo,
    ...columnsOf(rows, ...key, ...sumColumns<StatUsageRow>()),
  );
  const less = rows.filter(({ sums }) => takesAway(sums));
  if (less.length === 0) return;
  await session.rows(
    `DELETE FROM ${schema}.stat_usage u USING unnest($2::smallint[], $3::int[], $4::bigint[], $5::int[], $6::int[]) AS r(cube, grain, bucket, workflow_no, type_no)
     WHERE u.scope_no = $1 AND u.cube = r.cube AND u.grain = r.grain AND u.bucket = r.bucket AND u.workflow_no = r.workflow_no
       AND u.type_no = r.type_no AND ${NOTHING_LEFT}`,
    scopeNo,
    ...columnsOf(less, ...key),
  );
}
