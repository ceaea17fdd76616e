// A collector as a process of its own, with moods. What it took is in a file, one line for each post.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { decodeOtlp } from "@spanloom/model/otlp";

/** How it answers one post. The last one stands for all that follow. */
export type Mood =
  | { answer: "take" }
  | { answer: "refuse"; status: number; retryAfterS?: number; asDate?: boolean }
  | { answer: "reset" }
  | { answer: "slow"; afterMs: number }
  | { answer: "partial"; rejected: number };

export interface Post {
  at: number;
  answer: Mood["answer"];
  /** Read whole or not at all. */
  spanIds: string[];
}

export interface CollectorProcess {
  kill: () => Promise<void>;
}

/** A port of this machine that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createSocketServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export async function startCollector(port: number, file: string, moods: Mood[]): Promise<CollectorProcess> {
  const args = [
    "--conditions=@spanloom/source",
    import.meta.filename,
    String(port),
    file,
    JSON.stringify(moods),
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  await once(child.stdout, "data");
  return {
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

export function postsIn(file: string): Post[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Post);
}

/** Spans that were answered with a yes. */
export function takenIn(file: string): string[] {
  return postsIn(file)
    .filter(({ answer }) => answer === "take" || answer === "slow")
    .flatMap(({ spanIds }) => spanIds);
}

if (process.argv[1] === import.meta.filename) {
  const [, , port = "", file = "", moods = "[]"] = process.argv;
  serve(Number(port), file, JSON.parse(moods) as Mood[]);
}

function serve(port: number, file: string, moods: Mood[]): void {
  const server = createServer((request, response) => {
    const mood = (moods.length > 1 ? moods.shift() : moods[0]) ?? { answer: "take" };
    const note = (spanIds: string[]): void =>
      appendFileSync(
        file,
        `${JSON.stringify({ at: Date.now(), answer: mood.answer, spanIds } satisfies Post)}\n`,
      );
    if (mood.answer === "reset") {
      // After the first piece of the body, in the middle of it.
      request.once("data", () => {
        note([]);
        request.socket.resetAndDestroy();
      });
      return;
    }
    void answer(request, response, mood, note);
  });
  server.listen(port, "127.0.0.1", () => process.stdout.write("listening\n"));
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  mood: Exclude<Mood, { answer: "reset" }>,
  note: (spanIds: string[]) => void,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
  note(decodeOtlp(body).spans.map(({ spanId }) => spanId));
  if (mood.answer === "refuse") {
    const { status, retryAfterS, asDate } = mood;
    const later = new Date(Date.now() + (retryAfterS ?? 0) * 1_000).toUTCString();
    const headers = retryAfterS === undefined ? {} : { "retry-after": asDate ? later : String(retryAfterS) };
    response.writeHead(status, headers).end("busy");
  } else if (mood.answer === "slow") setTimeout(() => response.end("{}"), mood.afterMs);
  else if (mood.answer === "partial")
    response.end(JSON.stringify({ partialSuccess: { rejectedSpans: mood.rejected, errorMessage: "no" } }));
  else response.end("{}");
}
