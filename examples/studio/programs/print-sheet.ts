// Lays out an answer as a sheet: `node print-sheet.ts <data folder>`, JSON on its input, Markdown on its output.
import { json } from "node:stream/consumers";
import { joinTrace } from "@spanloom/tracer/propagate";
import { z } from "zod";
import { openTracing } from "../server/observability.ts";

const sheet = z.object({ title: z.string(), question: z.string(), answer: z.string() });
const [dataFolder = ".spanloom"] = process.argv.slice(2);
const tracing = openTracing(dataFolder, "print-sheet");

await joinTrace(tracing.tracer, process.env, { name: "lay out" }, async (span) => {
  const { title, question, answer } = sheet.parse(await json(process.stdin));
  const quoted = question.trim().replaceAll(/^/gm, "> ");
  const text = `# ${title}\n\n${quoted}\n\n${answer}\n`;
  span.setAttributes({ "sheet.lines": text.split("\n").length });
  process.stdout.write(text);
});
await tracing.close();
