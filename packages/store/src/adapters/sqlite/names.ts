import type { Connection } from "./connection.ts";

/** What a number in `dim` stands for. */
export const DIM = { workflow: 1, node: 2, model: 3, nodeType: 4 } as const;
export type DimType = (typeof DIM)[keyof typeof DIM];

/** Most numbers kept in memory; they are only a faster way to the same answer. */
const MOST_KEPT = 100_000;

/** Numbers for names. A number stands for its name for ever, so what was once read stays true in every process. */
export interface Names {
  /** The scope's number, made where it is new; only inside a write. */
  scope(name: string): number;
  /** The scope's number; `undefined` where nothing was ever written in it. */
  findScope(name: string): number | undefined;
  /** The value's number, made where it is new; 0 for no value. Only inside a write. */
  dim(scopeNo: number, type: DimType, value: string | undefined): number;
  /** The value's number; `undefined` where no span ever had it. */
  findDim(scopeNo: number, type: DimType, value: string): number | undefined;
  /** Every scope that was ever written in. */
  scopes(): string[];
  /** The value behind a number; empty for 0. */
  value(dimNo: number): string;
  /** Keeps what a write has made, or forgets it with the transaction. */
  settle(committed: boolean): void;
}

export function createNames(db: Connection): Names {
  const numbers = new Map<string, number>();
  let made: string[] = [];
  const find = (key: string, sql: string, ...values: (string | number)[]): number | undefined => {
    const kept = numbers.get(key);
    if (kept !== undefined) return kept;
    const row = db.statement(sql).get(...values) as [number] | undefined;
    if (row !== undefined) keep(key, row[0]);
    return row?.[0];
  };
  const keep = (key: string, value: number): void => {
    numbers.set(key, value);
    made.push(key);
  };
  const make = (key: string, sql: string, ...values: (string | number)[]): number => {
    const number = Number(db.statement(sql).run(...values).lastInsertRowid);
    keep(key, number);
    return number;
  };
  const findScope: Names["findScope"] = (name) =>
    find(`s${name}`, "SELECT scope_no FROM scope WHERE name = ?", name);
  const findDim: Names["findDim"] = (scopeNo, type, value) =>
    find(
      `d${scopeNo}|${type}|${value}`,
      "SELECT dim_no FROM dim WHERE scope_no = ? AND type = ? AND value = ?",
      scopeNo,
      type,
      value,
    );
  return {
    findScope,
    findDim,
    scope: (name) => findScope(name) ?? make(`s${name}`, "INSERT INTO scope (name) VALUES (?)", name),
    dim: (scopeNo, type, value) => {
      if (value === undefined || value === "") return 0;
      return (
        findDim(scopeNo, type, value) ??
        make(
          `d${scopeNo}|${type}|${value}`,
          "INSERT INTO dim (scope_no, type, value) VALUES (?, ?, ?)",
          scopeNo,
          type,
          value,
        )
      );
    },
    scopes: () => {
      const rows = db.statement("SELECT name FROM scope ORDER BY scope_no").all() as [string][];
      return rows.map(([name]) => name);
    },
    value: (dimNo) => {
      const row = db.statement("SELECT value FROM dim WHERE dim_no = ?").get(dimNo) as [string] | undefined;
      return row?.[0] ?? "";
    },
    settle: (committed) => {
      if (!committed) for (const key of made) numbers.delete(key);
      made = [];
      if (numbers.size > MOST_KEPT) numbers.clear();
    },
  };
}
