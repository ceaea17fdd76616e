export { type McpClientOptions, type TraceableClient, traceMcpClient } from "./mcp-client.ts";
export { type McpServerOptions, type TraceableServer, traceMcpServer } from "./mcp-server.ts";
