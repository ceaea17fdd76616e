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

interface Frame {
  text: string;
  value: unknown;
}

const nothing: unique symbol = Symbol("nothing");

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
