/** What JSON can hold. Records are made of nothing else, so that every store and wire keeps them whole. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/**
 * JSON with object keys in code-unit order and `undefined` members left out: equal values give equal text.
 * Iterative, so that no depth of nesting overflows the stack.
 */
export function canonicalJson(value: unknown): string {
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

interface Frame {
  text: string;
  value: unknown;
}

const nothing: unique symbol = Symbol("nothing");

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
