import { canonicalJson, isSpanloomError, type SpanloomErrorCode } from "@spanloom/model";
import { MAX_PAGE_LENGTH } from "../page-room.ts";

/** The kit's own assertions: no runner's `expect` is needed, and equal means equal as JSON. */

export function ok(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** Equal as JSON: members that are `undefined` count as absent, prototypes and the order of keys do not count. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const left = canonicalJson(actual);
  const right = canonicalJson(expected);
  if (left === right) return;
  let at = 0;
  while (left[at] === right[at]) at++;
  const from = Math.max(0, at - 120);
  throw new Error(
    `${what}: differs at character ${at}\n  expected ${excerpt(right, from)}\n  actual   ${excerpt(left, from)}`,
  );
}

/** The promise rejects with a SpanloomError of this code (any code where absent). */
export async function rejects(
  call: () => unknown,
  code: SpanloomErrorCode | undefined,
  what: string,
): Promise<void> {
  let result: unknown;
  try {
    result = await call();
  } catch (error) {
    ok(isSpanloomError(error), `${what}: rejected with ${String(error)}, which is no SpanloomError`);
    if (code !== undefined) equal(error.code, code, `${what}: the error's code`);
    ok(error.what !== "", `${what}: the error does not say what happened`);
    return;
  }
  throw new Error(`${what}: should have been refused, but gave ${excerpt(canonicalJson(result), 0)}`);
}

/** What a page or an answer holds is no more than the contract allows. */
export function checkLength(spans: readonly unknown[], what: string): void {
  const length = spans.reduce((sum: number, span) => sum + JSON.stringify(span).length, 0);
  const fits = spans.length <= 1 || length <= MAX_PAGE_LENGTH;
  ok(
    fits,
    `${what} of ${spans.length} spans has ${length} characters of JSON, ${MAX_PAGE_LENGTH} are allowed`,
  );
}

export function present<T>(value: T | undefined, what: string): T {
  ok(value !== undefined, `${what} is not there`);
  return value;
}

function excerpt(text: string, from: number): string {
  const cut = text.slice(from, from + 320);
  return `${from > 0 ? "..." : ""}${cut}${from + 320 < text.length ? "..." : ""}`;
}

/** True when the text, as UTF-8, UTF-16 or JSON would have it, stands in the bytes. */
export function holds(bytes: Uint8Array, text: string): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.includes(text, 0, "utf8") || buffer.includes(text, 0, "utf16le");
}

/** Fails with words of its own where a runner would only say that time is up. */
export async function within(event: Promise<void>, complaint: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(complaint)), 10_000);
  });
  await Promise.race([event, late]).finally(() => clearTimeout(timer));
}
