// An MCP server over stdio that searches the handbook: `node handbook-server.ts <data folder>`. The studio starts it.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { traceMcpServer } from "@spanloom/tracer/mcp";
import { z } from "zod";
import { openTracing } from "../server/observability.ts";
import {
  type DocumentInfo,
  listDocuments,
  readDocument,
  type SourceDocument,
} from "../workflows/documents.ts";
import { findSections, passagesOf } from "../workflows/find-sections.ts";
import { openCache } from "./cache.ts";

const [dataFolder = ".spanloom"] = process.argv.slice(2);
const tracing = openTracing(dataFolder, "handbook-server");
const cache = await openCache(process.env.REDIS_URL, tracing.tracer);
const server = traceMcpServer(new McpServer({ name: "handbook", version: "1.0.0" }), tracing.tracer);

server.registerTool(
  "search_handbook",
  {
    description: "Searches the company's handbook and gives the passages that fit best.",
    inputSchema: { query: z.string() },
  },
  async ({ query }) => {
    const books = await cached<DocumentInfo[]>("amtp:mcp:tree:handbook", () => listDocuments("handbook"));
    const texts = await Promise.all(
      books.map(({ id }) => cached<SourceDocument>(`amtp:mcp:blob:${id}`, () => readDocument(id))),
    );
    return { content: [{ type: "text", text: passagesOf(findSections(query, texts)) }] };
  },
);
await server.connect(new StdioServerTransport());

// A Ctrl+C reaches all programs of a terminal at once; the studio says when it needs this one no more.
process.on("SIGINT", () => undefined);
process.stdin.once("end", async () => {
  await server.close();
  cache.close();
  await tracing.close();
});

async function cached<T>(key: string, read: () => Promise<T>): Promise<T> {
  const known = await cache.get(key);
  if (known !== null) return JSON.parse(known) as T;
  const value = await read();
  await cache.set(key, JSON.stringify(value));
  return value;
}
