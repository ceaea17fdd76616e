// A process that writes to a log, settles the first records and waits to be killed:
// node abandon.test-support.ts <directory> <records> <settled>
import { globSync, readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { makeSpan } from "@spanloom/model/fixtures";
import { SpillLog } from "./spill-log.ts";

/** Where the program is. */
export const program: string = import.meta.filename;

if (process.argv[1] === program) {
  const [directory = "", count = "0", settled = "0"] = process.argv.slice(2);
  const log = new SpillLog({ directory });
  for (let index = 0; index < Number(count); index++) {
    const place = log.appendSync(makeSpan({ name: String(index) }));
    if (index < Number(settled)) log.settle(place);
  }
  const kept = (): boolean =>
    globSync(`${directory}/*~0.log/settled`).some((path) => readFileSync(path, "utf8").trim() !== "");
  while (Number(settled) > 0 && !kept()) await setImmediate();
  process.stdout.write("written\n");
  setInterval(() => undefined, 60_000);
}
