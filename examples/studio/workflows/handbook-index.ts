import { HumanMessage, SystemMessage } from "@langchain/core/messages";
import type { ExecutionHandle, NodeHandle } from "@spanloom/tracer";
import type { Models } from "../models/create-models.ts";
import type { SourceDocument } from "./documents.ts";
import type { Cached, Library } from "./library.ts";
import { sectionsOf } from "./sections.ts";

/** Where a workflow leaves files for people to download. */
export interface Shelf {
  put(name: string, text: string): Promise<{ artifactId: string; sizeBytes: number }>;
}

/**
 * Names the topics of every handbook and writes an index. No engine here: plain functions, traced by hand, as in a host
 * that has an engine of its own.
 *
 *     list_documents -> read_document (each) -> name_topics (each) -> write_index
 */
export async function indexHandbook(
  execution: ExecutionHandle,
  models: Models,
  library: Library,
  shelf: Shelf,
): Promise<string> {
  const documents = await execution.node({ id: "list_documents", type: "library" }, (node) =>
    fetchCached(node, "library:tree:*", "list_tree", {}, () => library.tree()),
  );
  const texts = await Promise.all(
    documents.map(({ id }) =>
      execution.node({ id: "read_document", type: "library" }, (node) =>
        fetchCached(node, "library:blob:*", "get_blob", { id }, () => library.blob(id)),
      ),
    ),
  );
  const entries = await Promise.all(
    texts.map((document) =>
      execution.node({ id: "name_topics", type: "llm" }, (node) => nameTopics(node, models, document)),
    ),
  );
  return execution.node({ id: "write_index", type: "writer" }, async (node) => {
    const text = `# Handbook index\n\n${entries.join("\n\n")}\n`;
    const stored = await shelf.put("handbook-index.md", text);
    node.artifact({ ...stored, name: "handbook-index.md", mediaType: "text/markdown" });
    return text;
  });
}

function fetchCached<T>(
  node: NodeHandle,
  keyspace: string,
  name: string,
  input: Record<string, string>,
  read: () => Promise<Cached<T>>,
): Promise<T> {
  return node.tool({ name, input }, async (tool) => {
    const { value, hit } = await read();
    tool.cache({ keyspace, hits: hit ? 1 : 0, misses: hit ? 0 : 1 });
    return value;
  });
}

async function nameTopics(node: NodeHandle, models: Models, document: SourceDocument): Promise<string> {
  const instruction = "Name the topics of a text: five words at most, comma-separated.";
  const prompt = `Text:\n${document.text}`;
  const { ls_model_name: model = "unknown", ls_provider: provider = "unknown" } = models.reader.getLsParams(
    {},
  );
  const input = [
    { role: "system", content: instruction },
    { role: "user", content: prompt },
  ];
  const topics = await node.llm({ model, provider, input }, async (llm) => {
    const answer = await models.reader.invoke([new SystemMessage(instruction), new HumanMessage(prompt)]);
    const { input_tokens: input, output_tokens: output } = answer.usage_metadata ?? {};
    llm.setUsage({ ...(input !== undefined && { input }), ...(output !== undefined && { output }) });
    return answer.text;
  });
  return `## ${document.title}\n\nTopics: ${topics}. Sections: ${sectionsOf(document.text).length}.`;
}
