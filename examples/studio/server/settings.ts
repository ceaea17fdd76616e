import { accessSync, constants, mkdirSync } from "node:fs";
import { resolve } from "node:path";

export interface Settings {
  port: number;
  /** Absolute. Exists and can be written. */
  dataFolder: string;
  /** What a local model takes at least for a call of a slow run. */
  modelDelayMs: number;
  grafanaUrl: string;
  tempoUrl: string;
}

/** Something that the person who started the studio can mend. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Reads the environment. Throws a StartError that says what to change. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    port: wholeNumber(env, "PORT", 4600, 65_535),
    dataFolder: writableFolder(resolve(env.SPANLOOM_DATA ?? ".spanloom")),
    modelDelayMs: wholeNumber(env, "STUDIO_MODEL_DELAY_MS", 500, 60_000),
    grafanaUrl: baseUrl(env, "STUDIO_GRAFANA_URL", "http://localhost:3000"),
    tempoUrl: baseUrl(env, "STUDIO_TEMPO_URL", "http://localhost:3200"),
  };
}

function wholeNumber(env: NodeJS.ProcessEnv, name: string, otherwise: number, most: number): number {
  const text = env[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new StartError(
    `${name}=${text} is not a whole number from 0 to ${most}. Correct it or leave it out.`,
  );
}

function baseUrl(env: NodeJS.ProcessEnv, name: string, otherwise: string): string {
  const text = env[name] || otherwise;
  if (URL.canParse(text) && /^https?:/.test(text)) return text.replace(/\/+$/, "");
  throw new StartError(`${name}=${text} is not an http or https address. Correct it or leave it out.`);
}

function writableFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK | constants.X_OK);
    return path;
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new StartError(
      `The data folder ${path} cannot be written (${why}). ` +
        "Set SPANLOOM_DATA to a folder that you may write, or change the folder's permissions.",
    );
  }
}
