import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { program } from "./silent-collector.test-support.ts";

test("a program that is done ends, although the collector takes its spans and never answers", async () => {
  let asked = 0;
  const collector = createServer((request) => {
    asked++;
    request.resume();
  });
  await once(collector.listen(0, "127.0.0.1"), "listening");
  const { port } = collector.address() as AddressInfo;
  const child = spawn(
    process.execPath,
    [
      "--conditions=@spanloom/source",
      "--disable-warning=ExperimentalWarning",
      program,
      `http://127.0.0.1:${port}/v1/traces`,
    ],
    { stdio: "inherit" },
  );
  const [code] = await once(child, "exit");
  collector.closeAllConnections();
  collector.close();
  expect({ code, asked }).toEqual({ code: 0, asked: 1 });
}, 30_000);
