/** What JSON can hold. Records are made of nothing else, so that every store and wire keeps them whole. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/**
 * JSON with object keys in code-unit order and `undefined` members left out: equal values give equal text. No depth of
 * nesting overflows the stack.
 */
export function canonicalJson(value: unknown): string {
  const ordered = inOrder(value, 0);
  return ordered === notSimple ? writeSlowly(value) : (JSON.stringify(ordered) ?? "null");
}

/**
 * True for an object as a literal makes it, or one without a prototype, whichever realm it was made in: a frame, a window of
 * Electron and a test runner's sandbox have an `Object.prototype` of their own. False for arrays and instances of classes.
 */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  // Only the `Object.prototype` of a realm has nothing above it and these members of its own.
  return (
    isObject(prototype) &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, "hasOwnProperty") &&
    Object.hasOwn(prototype, "constructor") &&
    typeof prototype.constructor === "function" &&
    prototype.constructor.name === "Object"
  );
}

const notSimple: unique symbol = Symbol("not simple");

/** Deeper values are rare, and recursion must end somewhere. */
const MAX_DEPTH = 100;

/**
 * The value with its keys in order, for `JSON.stringify`, which is much faster than anything written by hand: the same
 * value where they are. `notSimple` for what that would write otherwise: deep nesting, keys that objects have an order of
 * their own for, and what is no JSON.
 */
function inOrder(value: unknown, depth: number): unknown {
  if (typeof value === "function" || typeof value === "symbol") return notSimple;
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DEPTH || ("toJSON" in value && typeof value.toJSON === "function")) return notSimple;
  if (Array.isArray(value)) return listInOrder(value, depth);
  // `JSON.stringify` writes boxed numbers and the like as what is in the box.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return notSimple;
  return membersInOrder(value as Members, depth);
}

type Members = Record<string, unknown>;

function listInOrder(list: readonly unknown[], depth: number): unknown {
  let copy: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const member = inOrder(list[index], depth + 1);
    if (member === notSimple) return notSimple;
    if (member === list[index]) continue;
    copy ??= [...list];
    copy[index] = member;
  }
  return copy ?? list;
}

function membersInOrder(object: Members, depth: number): unknown {
  const keys = Object.keys(object);
  let same = true;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    if (key === "__proto__" || isIndex(key)) return notSimple;
    if (index > 0 && key < (keys[index - 1] as string)) same = false;
  }
  if (!same) keys.sort();
  let copy: Members | undefined = same ? undefined : {};
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    const member = inOrder(object[key], depth + 1);
    if (member === notSimple) return notSimple;
    if (copy === undefined && member !== object[key]) {
      copy = {};
      for (const before of keys.slice(0, index)) copy[before] = object[before];
    }
    if (copy !== undefined) copy[key] = member;
  }
  return copy ?? object;
}

/** Objects keep such keys first, as numbers. */
function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 48 && first <= 57 && /^\d+$/.test(key);
}

/** Iterative, for what is nested as deep as it likes. */
function writeSlowly(value: unknown): string {
  let out = "";
  const stack: Frame[] = [{ text: "", value }];
  for (let frame = stack.pop(); frame !== undefined; frame = stack.pop()) {
    out += frame.text;
    const current = frame.value;
    if (current === nothing) continue;
    if (Array.isArray(current)) {
      stack.push({ text: "]", value: nothing });
      for (let index = current.length - 1; index >= 0; index--) {
        stack.push({ text: index === 0 ? "" : ",", value: current[index] ?? null });
      }
      out += "[";
    } else if (isObject(current)) {
      const keys = Object.keys(current)
        .filter((key) => current[key] !== undefined)
        .sort();
      stack.push({ text: "}", value: nothing });
      for (let index = keys.length - 1; index >= 0; index--) {
        const key = keys[index] as string;
        stack.push({ text: `${index === 0 ? "" : ","}${JSON.stringify(key)}:`, value: current[key] });
      }
      out += "{";
    } else {
      out += JSON.stringify(current) ?? "null";
    }
  }
  return out;
}

interface Frame {
  text: string;
  value: unknown;
}

const nothing: unique symbol = Symbol("nothing");

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
