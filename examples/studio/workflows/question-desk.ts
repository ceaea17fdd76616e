import { join } from "node:path";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { ExecutionHandle, NodeHandle } from "@spanloom/tracer";
import { tracedExecFile } from "@spanloom/tracer/propagate";
import {
  dynamicTool,
  jsonSchema,
  type LanguageModel,
  stepCountIs,
  streamText,
  type Telemetry,
  type ToolSet,
} from "ai";
import { readDocument, type SourceDocument } from "./documents.ts";
import type { Shelf } from "./handbook-index.ts";

export interface QuestionDesk {
  model: LanguageModel;
  /** Where the agent's tools are. */
  handbook: () => Promise<Client>;
  telemetry: Telemetry;
  shelf: Shelf;
  dataFolder: string;
  signal: AbortSignal;
}

/** More rounds than this mean that the agent goes round in circles. */
const MAX_ROUNDS = 4;
const printer = join(import.meta.dirname, "../programs/print-sheet.ts");

/**
 * Answers a question out of the handbook: an agent of AI SDK, whose tools are on an MCP server, and a program that prints
 * the answer. Three processes, one trace.
 *
 *     open_question -> research -> print_sheet
 */
export async function answerAtDesk(
  execution: ExecutionHandle,
  documentId: string,
  desk: QuestionDesk,
): Promise<string> {
  const question = await execution.node({ id: "open_question", type: "library" }, () =>
    readDocument(documentId),
  );
  const answer = await execution.node({ id: "research", type: "agent" }, () => research(question, desk));
  return execution.node({ id: "print_sheet", type: "cli" }, (node) =>
    printSheet(node, question, answer, desk),
  );
}

async function research(question: SourceDocument, desk: QuestionDesk): Promise<string> {
  const result = streamText({
    model: desk.model,
    system: "Answer the question out of the handbook alone, and name the section. Search it first.",
    prompt: `Question:\n${question.text}`,
    tools: await toolsOf(await desk.handbook()),
    stopWhen: stepCountIs(MAX_ROUNDS),
    abortSignal: desk.signal,
    telemetry: { integrations: desk.telemetry, functionId: "handbook-agent" },
    // The trace has it; the run fails with it below.
    onError: () => undefined,
  });
  return result.text;
}

async function toolsOf(client: Client): Promise<ToolSet> {
  const { tools } = await client.listTools();
  const entries = tools.map(({ name, description = "", inputSchema }) => {
    const execute = async (input: unknown): Promise<string> => {
      const { content, isError } = await client.callTool({ name, arguments: { ...(input as object) } });
      const texts = (content as { type: string; text?: string }[]).flatMap(({ text }) => text ?? []);
      if (isError) throw new Error(texts.join("\n"));
      return texts.join("\n");
    };
    return [name, dynamicTool({ description, inputSchema: jsonSchema(inputSchema), execute })] as const;
  });
  return Object.fromEntries(entries);
}

async function printSheet(
  node: NodeHandle,
  { title, text: question }: SourceDocument,
  answer: string,
  { shelf, dataFolder, signal }: QuestionDesk,
): Promise<string> {
  const printing = tracedExecFile(node, process.execPath, [...process.execArgv, printer, dataFolder], {
    signal,
  });
  printing.child.stdin?.end(JSON.stringify({ title, question, answer }));
  const { stdout: sheet } = await printing;
  const stored = await shelf.put("answer-sheet.md", sheet);
  node.artifact({ ...stored, name: "answer-sheet.md", mediaType: "text/markdown" });
  return sheet;
}
