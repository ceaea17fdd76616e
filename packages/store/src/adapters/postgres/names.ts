import { arrayOf } from "./client.ts";
import type { Session } from "./database.ts";
import { keyText } from "./key-text.ts";
import { hashOf } from "./locks.ts";

/** What a number in `dim` stands for. */
export const DIM = { workflow: 1, model: 2, nodeType: 3 } as const;
export type DimType = (typeof DIM)[keyof typeof DIM];

/** Most numbers kept in memory; they are only a faster way to the same answer. */
const MOST_KEPT = 100_000;

/** Numbers for names. A number stands for its name for ever, so what was once committed stays true in every process. */
export interface Names {
  /** The scope's number, made where it is new. */
  scope(session: Session, name: string): Promise<number>;
  /** The scope's number; `undefined` where nothing was ever written in it. */
  findScope(session: Session, name: string): Promise<number | undefined>;
  /** The numbers of values, made where they are new; 0 for an empty one. Only inside a write that has the scope to itself. */
  dims(session: Session, scopeNo: number, wanted: readonly NamedValue[]): Promise<Map<string, number>>;
  /** Keeps what a write has made, once it is committed. */
  remember(scopeNo: number, numbers: ReadonlyMap<string, number>): void;
  /** The value's number; `undefined` where no span ever had it. */
  findDim(session: Session, scopeNo: number, type: DimType, value: string): Promise<number | undefined>;
  /** The values behind numbers. */
  values(session: Session, numbers: Iterable<number>): Promise<Map<number, string>>;
}

export type NamedValue = readonly [type: DimType, value: string];

/** The key of a value in what `dims` gives. */
export function dimKey(type: DimType, value: string): string {
  return `${type}${value}`;
}

export function createNames(schema: string): Names {
  const scopes = new Map<string, number>();
  const kept = new Map<string, number>();
  const SELECT_DIM = `SELECT d.dim_no FROM ${schema}.dim d WHERE d.scope_no = $1 AND d.type = $2 AND d.hash = $3`;
  const MAKE = `WITH given AS (
      SELECT * FROM unnest($2::smallint[], $3::uuid[], $4::json[]) WITH ORDINALITY AS g(type, hash, value, place)),
    made AS (
      INSERT INTO ${schema}.dim (scope_no, type, hash, value) SELECT $1, type, hash, value FROM given
      ON CONFLICT DO NOTHING RETURNING dim_no, type, hash)
    SELECT g.place::int, coalesce(m.dim_no, d.dim_no) FROM given g
      LEFT JOIN made m ON m.type = g.type AND m.hash = g.hash
      LEFT JOIN ${schema}.dim d ON d.scope_no = $1 AND d.type = g.type AND d.hash = g.hash`;
  const VALUES = `SELECT dim_no, value::text FROM ${schema}.dim WHERE dim_no = ANY($1::int[])`;

  const keep = (key: string, number: number): void => {
    if (kept.size > MOST_KEPT) kept.clear();
    kept.set(key, number);
  };
  const findScope: Names["findScope"] = async (session, name) => {
    const known = scopes.get(name);
    if (known !== undefined) return known;
    const [[found] = []] = await session.rows(
      `SELECT scope_no FROM ${schema}.scope WHERE name = $1`,
      keyText(name),
    );
    if (typeof found !== "number") return undefined;
    if (scopes.size > MOST_KEPT) scopes.clear();
    scopes.set(name, found);
    return found;
  };
  return {
    findScope,
    scope: async (session, name) => {
      const found = await findScope(session, name);
      if (found !== undefined) return found;
      const [[made] = []] = await session.rows(
        `INSERT INTO ${schema}.scope (name) VALUES ($1) RETURNING scope_no`,
        keyText(name),
      );
      // Not kept: the transaction may still fail.
      return made as number;
    },
    dims: async (session, scopeNo, wanted) => {
      const numbers = new Map<string, number>();
      const asked = new Map<string, NamedValue>();
      for (const [type, value] of wanted) {
        const key = dimKey(type, value);
        const known = value === "" ? 0 : kept.get(`${scopeNo}|${key}`);
        if (known === undefined) asked.set(key, [type, value]);
        else numbers.set(key, known);
      }
      if (asked.size === 0) return numbers;
      const list = [...asked];
      const rows = await session.rows(
        MAKE,
        scopeNo,
        arrayOf(list.map(([, [type]]) => type)),
        arrayOf(list.map(([, [, value]]) => hashOf(value))),
        arrayOf(list.map(([, [, value]]) => JSON.stringify(value))),
      );
      for (const [place, number] of rows as [number, number][])
        numbers.set(list[place - 1]?.[0] ?? "", number);
      return numbers;
    },
    remember: (scopeNo, numbers) => {
      for (const [key, number] of numbers) if (number !== 0) keep(`${scopeNo}|${key}`, number);
    },
    findDim: async (session, scopeNo, type, value) => {
      const key = `${scopeNo}|${dimKey(type, value)}`;
      const known = kept.get(key);
      if (known !== undefined) return known;
      const [[found] = []] = await session.rows(SELECT_DIM, scopeNo, type, hashOf(value));
      if (typeof found !== "number") return undefined;
      keep(key, found);
      return found;
    },
    values: async (session, numbers) => {
      const wanted = [...new Set(numbers)].filter((number) => number !== 0);
      const values = new Map([[0, ""]]);
      if (wanted.length === 0) return values;
      const rows = (await session.rows(VALUES, arrayOf(wanted))) as [number, string][];
      for (const [number, json] of rows) values.set(number, JSON.parse(json) as string);
      return values;
    },
  };
}
