// A process that writes to a log, settles the first records and waits to be killed.
import { globSync, readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { makeSpan } from "@spanloom/model/fixtures";
import { SpillLog } from "./spill-log.ts";

const [, , directory = "", count = "0", settled = "0"] = process.argv;

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
