import { isSpanloomError } from "@spanloom/model";

/** Where the host wants no failures: one on the console, for the operator. */
export function printFailure(error: unknown): void {
  console.error(`Spanloom could not answer a request: ${describeFailure(error)}`);
}

/** Our own words, else the kind of error and where it was thrown: what others write into a message may quote content. */
function describeFailure(error: unknown): string {
  if (isSpanloomError(error)) return `${error.code}: ${error.what}`;
  if (!(error instanceof Error)) return `thrown: ${typeof error}`;
  const parts = [error.name, "code" in error ? error.code : undefined];
  const words = parts.filter((part) => typeof part === "string" && /^[\w.-]{1,60}$/.test(part));
  const frames = String(error.stack)
    .split("\n")
    .filter((line) => /^ {4}at \S.*:\d+:\d+\)?$/.test(line));
  return [words.join(" ") || "Error", ...frames].join("\n");
}
