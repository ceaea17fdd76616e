import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { LocalAgentModel } from "./local-agent-model.ts";
import { LocalChatModel } from "./local-chat-model.ts";

/** The models of a run, by what they are for. */
export interface Models {
  /** Reads and judges. */
  reader: BaseChatModel;
  /** Small and cheap: labels. The local one has no price, so that the panels show what unknown looks like. */
  tagger: BaseChatModel;
  /** Writes, streaming. */
  writer: BaseChatModel;
}

export type Pace = "quick" | "slow";

/** Demo prices in USD per million tokens, so that costs can be seen: the local models cost nothing to run. */
export const demoPrices = {
  "local/local-reader": { inputPerMTok: 2.5, outputPerMTok: 10 },
  "local/local-writer": { inputPerMTok: 3, outputPerMTok: 15 },
  "local/local-agent": { inputPerMTok: 2, outputPerMTok: 8 },
} as const;

/**
 * Local models, or OpenAI's where `OPENAI_API_KEY` is set. `delayMs` is what a local call takes at least when the pace
 * is slow; quick calls take a sixth of it.
 */
export async function createModels(pace: Pace, delayMs: number): Promise<Models> {
  if (process.env.OPENAI_API_KEY) {
    const { ChatOpenAI } = await import("@langchain/openai");
    const model = process.env.OPENAI_MODEL ?? "gpt-4o-mini";
    const openai = new ChatOpenAI({ model, temperature: 0, streamUsage: true });
    return { reader: openai, tagger: openai, writer: openai };
  }
  const local = (model: string): LocalChatModel =>
    new LocalChatModel({ model, delayMs: delayOf(pace, delayMs) });
  return { reader: local("local-reader"), tagger: local("local-tagger"), writer: local("local-writer") };
}

/** The agent's model is always a local one: AI SDK has its own packages for providers. */
export function createAgentModel(pace: Pace, delayMs: number): LocalAgentModel {
  return new LocalAgentModel({ model: "local-agent", delayMs: delayOf(pace, delayMs) });
}

function delayOf(pace: Pace, delayMs: number): number {
  return pace === "slow" ? delayMs : delayMs / 6;
}
