import { aiSdkTelemetry } from "@spanloom/tracer/ai-sdk";
import { traceLangGraph } from "@spanloom/tracer/langgraph";
import { createAgentModel, createModels, type Pace } from "../models/create-models.ts";
import { createDocumentBrief } from "../workflows/document-brief.ts";
import { type DocumentInfo, listDocuments } from "../workflows/documents.ts";
import { indexHandbook, type Shelf } from "../workflows/handbook-index.ts";
import { createInvoiceTriage } from "../workflows/invoice-triage.ts";
import { createLibrary } from "../workflows/library.ts";
import { answerAtDesk } from "../workflows/question-desk.ts";
import type { HandbookConnection } from "./handbook-connection.ts";
import type { Observability } from "./observability.ts";
import type { Settings } from "./settings.ts";

/** What a workflow needs to run once. */
export interface Job {
  executionId: string;
  documentId: string;
  pace: Pace;
  shelf: Shelf;
  /** Called when the run has an execution. */
  onStart(): void;
  signal: AbortSignal;
}

export interface Workflow {
  id: string;
  name: string;
  description: string;
  documents: DocumentInfo[];
  /** Resolves when the run is over; rejects when it failed. */
  run(job: Job): Promise<unknown>;
}

/** The workflows that the studio offers. */
export async function createCatalogue(
  { tracer }: Pick<Observability, "tracer">,
  { modelDelayMs, dataFolder }: Pick<Settings, "modelDelayMs" | "dataFolder">,
  handbook: Pick<HandbookConnection, "client">,
): Promise<Workflow[]> {
  const library = createLibrary();
  const telemetry = aiSdkTelemetry(tracer);
  return [
    {
      id: "invoice-triage",
      name: "Invoice triage",
      description:
        "Reads an invoice, checks it from four sides at once, then pays it, asks for approval or refuses it.",
      documents: await listDocuments("invoices"),
      async run({ executionId, documentId, pace, signal, onStart }) {
        const graph = createInvoiceTriage(await createModels(pace, modelDelayMs));
        const traced = traceLangGraph(graph, tracer, {
          workflowId: "invoice-triage",
          workflowName: "Invoice triage",
          executionId,
          onStart,
        });
        // Runs over one document belong together: LangGraph and Spanloom call that a thread.
        return traced.invoke({ documentId }, { signal, configurable: { thread_id: documentId } });
      },
    },
    {
      id: "document-brief",
      name: "Document brief",
      description:
        "Makes a brief of a handbook, which a reviewer may send back, or answers the questions of an e-mail.",
      documents: [...(await listDocuments("handbook")), ...(await listDocuments("emails"))],
      async run({ executionId, documentId, pace, signal, onStart }) {
        const graph = createDocumentBrief(await createModels(pace, modelDelayMs));
        const traced = traceLangGraph(graph, tracer, {
          workflowId: "document-brief",
          workflowName: "Document brief",
          executionId,
          onStart,
        });
        return traced.invoke({ documentId }, { signal, configurable: { thread_id: documentId } });
      },
    },
    {
      id: "handbook-index",
      name: "Handbook index",
      description: "Reads every handbook through a caching document server and writes an index to download.",
      documents: [{ id: "handbook", title: "The whole handbook" }],
      async run({ executionId, documentId, pace, shelf, onStart }) {
        const models = await createModels(pace, modelDelayMs);
        return tracer.execution(
          { workflowId: "handbook-index", workflowName: "Handbook index", executionId, threadId: documentId },
          (execution) => {
            onStart();
            return indexHandbook(execution, models, library, shelf);
          },
        );
      },
    },
    {
      id: "question-desk",
      name: "Question desk",
      description:
        "An agent answers a question with the tools of another program, and a third one prints the sheet: one trace of three processes.",
      documents: await listDocuments("questions"),
      async run({ executionId, documentId, pace, shelf, signal, onStart }) {
        const model = createAgentModel(pace, modelDelayMs);
        return tracer.execution(
          { workflowId: "question-desk", workflowName: "Question desk", executionId, threadId: documentId },
          (execution) => {
            onStart();
            const desk = { model, handbook: handbook.client, telemetry, shelf, dataFolder, signal };
            return answerAtDesk(execution, documentId, desk);
          },
        );
      },
    },
  ];
}
