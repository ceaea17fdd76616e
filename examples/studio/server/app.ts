import { serveStatic } from "@hono/node-server/serve-static";
import type { WorkflowTracer } from "@spanloom/tracer";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { z } from "zod";
import { roleOf } from "./access.ts";
import type { Workflow } from "./catalogue.ts";
import type { Runner } from "./runner.ts";
import type { Shelves } from "./shelf.ts";

const startRequest = z.object({
  workflowId: z.string(),
  documentId: z.string(),
  pace: z.enum(["quick", "slow"]).default("quick"),
});

/** The studio itself: its API and its pages. Spanloom's routes stand beside it. */
export function createApp(
  clientFolder: string,
  workflows: readonly Workflow[],
  runner: Runner,
  shelves: Shelves,
  tracer: Pick<WorkflowTracer, "flush">,
): Hono {
  const app = new Hono();
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
        frameAncestors: ["'none'"],
      },
    }),
  );

  app.use("/api/studio/*", async (context, next) => {
    if (roleOf(context.req.raw) === undefined)
      return context.json({ message: "There is no such role. Use business_user, operator or auditor." }, 403);
    return next();
  });
  app.get("/api/studio/workflows", (context) =>
    context.json(
      workflows.map(({ id, name, description, documents }) => ({ id, name, description, documents })),
    ),
  );
  app.post("/api/studio/executions", async (context) => {
    if (roleOf(context.req.raw) === "auditor")
      return context.json({ message: "Auditors may look, but start nothing." }, 403);
    const request = startRequest.safeParse(await context.req.json().catch(() => undefined));
    if (!request.success)
      return context.json({ message: `The request cannot be read: ${z.prettifyError(request.error)}` }, 400);
    const run = runner.start(request.data);
    if (!run) return context.json({ message: "There is no such workflow or document." }, 404);
    // So that the page that opens next finds it at once.
    await run.started;
    await tracer.flush({ timeoutMs: 500 });
    return context.json({ executionId: run.executionId }, 202);
  });
  app.get("/api/studio/artifacts/:executionId/:artifactId", async (context) => {
    // A link carries no header, so anybody who has it may download. A real host checks its session here.
    const { executionId, artifactId } = context.req.param();
    const file = await shelves.take(executionId, artifactId);
    if (!file) return context.json({ message: "There is no such file." }, 404);
    return context.body(file, 200, {
      "content-type": "text/plain; charset=utf-8",
      "content-disposition": `attachment; filename="${artifactId.replace(/^[0-9a-f]+-/, "")}"`,
    });
  });
  app.all("/api/*", (context) => context.json({ message: "There is no such route." }, 404));

  app.use("/assets/*", async (context, next) => {
    await next();
    // Their names carry a hash of what is in them.
    if (context.res.ok) context.header("cache-control", "public, max-age=31536000, immutable");
  });
  app.use("*", serveStatic({ root: clientFolder }));
  // Every other path is a page that the client knows.
  app.get("*", serveStatic({ root: clientFolder, path: "index.html" }));
  return app;
}
