import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { WorkflowTracer } from "@spanloom/tracer";
import { traceMcpClient } from "@spanloom/tracer/mcp";

const program = join(import.meta.dirname, "../programs/handbook-server.ts");

/** The way to the handbook's tool server. */
export interface HandbookConnection {
  /** Starts the server where it does not run. Runs share it. */
  client(): Promise<Client>;
  close(): Promise<void>;
}

export function createHandbookConnection(tracer: WorkflowTracer, dataFolder: string): HandbookConnection {
  let connected: Promise<Client> | undefined;
  const connect = async (): Promise<Client> => {
    const client = traceMcpClient(new Client({ name: "studio", version: "0.1.0" }), tracer);
    client.onclose = () => {
      connected = undefined;
    };
    const { REDIS_URL } = process.env;
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [...process.execArgv, program, dataFolder],
      ...(REDIS_URL !== undefined && { env: { REDIS_URL } }),
    });
    await client.connect(transport);
    return client;
  };
  return {
    client() {
      connected ??= connect().catch((error: unknown) => {
        connected = undefined;
        throw error;
      });
      return connected;
    },
    async close() {
      const client = await connected?.catch(() => undefined);
      await client?.close();
    },
  };
}
