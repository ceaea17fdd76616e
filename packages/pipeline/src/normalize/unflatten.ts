import { type JsonValue, plainAttribute } from "@spanloom/model";
import type { RecordDraft } from "./dialect.ts";
import type { JsonObject } from "./values.ts";

/** A list that stood flattened in attributes, and the keys it was read from. */
export interface Unflattened {
  items: JsonValue[];
  keys: string[];
}

/**
 * The list under `prefix` (with its dot) out of keys like `llm.input_messages.0.message.role`. Numbers in a key are
 * places in a list, in their order; gaps close. Keys that do not fit (a value where others have a list) are left.
 * `undefined` where no key fits.
 */
export function unflatten(draft: RecordDraft, prefix: string): Unflattened | undefined {
  const root: Branch = new Map();
  const keys: string[] = [];
  for (const key of draft.keys(prefix)) {
    const path = key.slice(prefix.length).split(".");
    const value = draft.attribute(key);
    if (value === undefined || !isIndex(path[0]) || path.length > MAX_DEPTH) continue;
    if (plant(root, path, plainAttribute(value))) keys.push(key);
  }
  const items = toJson(root);
  return Array.isArray(items) && keys.length > 0 ? { items, keys } : undefined;
}

const MAX_DEPTH = 20;

/** Maps, because the names come from outside: no index is too large and no name is special. */
type Branch = Map<string, Branch | { leaf: JsonValue }>;

function plant(root: Branch, path: readonly string[], leaf: JsonValue): boolean {
  let branch = root;
  for (const name of path.slice(0, -1)) {
    const next = branch.get(name) ?? new Map();
    if (!(next instanceof Map)) return false;
    branch.set(name, next);
    branch = next;
  }
  const name = path.at(-1) ?? "";
  if (branch.has(name)) return false;
  branch.set(name, { leaf });
  return true;
}

function toJson(node: Branch | { leaf: JsonValue }): JsonValue {
  if (!(node instanceof Map)) return node.leaf;
  const entries = [...node];
  if (entries.every(([name]) => isIndex(name))) {
    return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, member]) => toJson(member));
  }
  return Object.fromEntries(entries.map(([name, member]) => [name, toJson(member)])) as JsonObject;
}

function isIndex(name: string | undefined): boolean {
  return name !== undefined && /^\d{1,6}$/.test(name);
}
