// An OpenTelemetry collector for OTLP/HTTP that takes everything, in a process of its own: its work is nobody's cost.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const server = createServer((request, response) => {
  request.resume().on("end", () => response.setHeader("content-type", "application/json").end("{}"));
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.send?.(`http://127.0.0.1:${port}/v1/traces`);
});
process.on("disconnect", () => process.exit());
