import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

/** Starts a process that writes spans `first` to `first + count - 1` of the shared execution, and notes each batch once it was acknowledged. */
export function startWriter(
  path: string,
  first: number,
  count: number,
  ackFile: string,
  batch: number = 5,
): ChildProcess {
  const script = join(import.meta.dirname, "writer-process.test-support.ts");
  const values = [path, first, count, ackFile, batch].map(String);
  return spawn(process.execPath, ["--conditions=@spanloom/source", script, ...values], {
    stdio: ["ignore", "inherit", "inherit"],
  });
}
