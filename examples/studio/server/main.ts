import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { createNodeListener } from "@spanloom/server/node";
import { createApp } from "./app.ts";
import { createCatalogue } from "./catalogue.ts";
import { runOnce } from "./first-runs.ts";
import { createHandbookConnection } from "./handbook-connection.ts";
import { createObservability } from "./observability.ts";
import { createRunner } from "./runner.ts";
import { readSettings, StartError } from "./settings.ts";
import { createShelves } from "./shelf.ts";

const clientFolder = join(import.meta.dirname, "../dist");

try {
  await start();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(`The studio cannot start. ${error.message}`);
  process.exitCode = 1;
}

async function start(): Promise<void> {
  if (!existsSync(join(clientFolder, "index.html")))
    throw new StartError(
      "Its pages are not built. Run `npm start` in the project's root, or `pnpm build` in examples/studio.",
    );
  const settings = readSettings(process.env);
  const server = createServer();
  // Before the store is opened: a second studio must not touch the first one's data.
  await listen(server, settings.port);

  const observability = createObservability(settings);
  const handbook = createHandbookConnection(observability.tracer, settings.dataFolder);
  const workflows = await createCatalogue(observability, settings, handbook);
  const shelves = createShelves(settings.dataFolder);
  const runner = createRunner(workflows, shelves);
  const spanloom = createNodeListener(observability.handler);
  const studio = getRequestListener(
    createApp(clientFolder, workflows, runner, shelves, observability.tracer).fetch,
    {
      overrideGlobalObjects: false,
    },
  );
  server.on("request", (request, response) => {
    const listener = request.url?.startsWith("/api/spanloom/") ? spanloom : studio;
    void listener(request, response);
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, async () => {
      server.close();
      server.closeAllConnections();
      await runner.stop(3_000);
      await handbook.close();
      await observability.close();
      process.exit(0);
    });
  }

  console.log(`Data: ${settings.dataFolder}`);
  const { items } = await observability.runs.listExecutions({ limit: 1 });
  if (items.length === 0) {
    await runOnce(workflows, runner, console.log);
    await observability.tracer.flush();
  }
  console.log(`Spanloom Studio is ready: ${addressOf(server)}`);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE"
          ? `Port ${port} is in use by another program. Stop it, or choose another port: PORT=${port + 1} npm start`
          : `Port ${port} cannot be opened (${error.code}). Choose another one with PORT.`;
      reject(new StartError(why));
    });
    server.listen(port, resolve);
  });
}

function addressOf(server: Server): string {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return `http://localhost:${port}/`;
}
