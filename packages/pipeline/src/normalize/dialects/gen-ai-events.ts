import type { Attributes, JsonValue, Message } from "@spanloom/model";
import type { EventKeys, RecordDraft } from "../dialect.ts";
import { asMessages } from "../fields.ts";
import { readInstructions, readMessages } from "../messages.ts";
import { isObject, type JsonObject, readJson } from "../values.ts";

/** Who speaks in an event of this name, as the conventions up to 1.36 had it. */
const ROLES: ReadonlyMap<string, string> = new Map([
  ["gen_ai.system.message", "system"],
  ["gen_ai.user.message", "user"],
  ["gen_ai.assistant.message", "assistant"],
  ["gen_ai.tool.message", "tool"],
]);

const CHOICE = "gen_ai.choice";
/** The whole exchange in one event. */
const DETAILS = "gen_ai.client.inference.operation.details";
/** Of the first conventions, each with its text under one key. */
const CONTENT = {
  input: ["gen_ai.content.prompt", "gen_ai.prompt"],
  output: ["gen_ai.content.completion", "gen_ai.completion"],
} as const;
/** What some put the body of the event into, as JSON text. */
const BODY = "gen_ai.event.content";

interface Spoken extends EventKeys {
  messages: Message[];
}

/**
 * Joins what was said in events of the span to messages, in the order of the events, for a field that attributes have
 * not set. The events stay, without what was taken from them. Returns whether the field now holds the messages.
 */
export function moveEventMessages(draft: RecordDraft, field: "input" | "output"): boolean {
  const { events } = draft.record;
  if (events.length === 0 || draft.record[field] !== undefined) return false;
  const spoken: Spoken[] = [];
  for (const [event, { name, attributes }] of events.entries()) {
    if (!name.startsWith("gen_ai.")) continue;
    const read = field === "input" ? readInput(name, attributes) : readOutput(name, attributes);
    if (read !== undefined && read.messages.length > 0) spoken.push({ event, ...read });
  }
  const messages = spoken.flatMap((one) => one.messages);
  return messages.length > 0 && draft.moveFromEvents(field, asMessages(messages), spoken);
}

type Read = Omit<Spoken, "event"> | undefined;

function readInput(name: string, attributes: Attributes): Read {
  const role = ROLES.get(name);
  if (role !== undefined) return readBody(attributes, (body) => ({ role, ...body }));
  if (name === DETAILS)
    return readDetails(attributes, ["gen_ai.system_instructions", "gen_ai.input.messages"]);
  return name === CONTENT.input[0] ? readContent(attributes, CONTENT.input[1], "user") : undefined;
}

function readOutput(name: string, attributes: Attributes): Read {
  if (name === CHOICE) return readBody(attributes, asAnswer);
  if (name === DETAILS) return readDetails(attributes, ["gen_ai.output.messages"]);
  return name === CONTENT.output[0] ? readContent(attributes, CONTENT.output[1], "assistant") : undefined;
}

/** The body stands in one attribute as JSON text, or its members are attributes themselves. */
function readBody(attributes: Attributes, asMessage: (body: JsonObject) => JsonObject): Read {
  const whole = readJson(attributes[BODY]);
  const keys = isObject(whole) ? [BODY] : Object.keys(attributes).filter((key) => !key.includes("."));
  const body = isObject(whole)
    ? whole
    : Object.fromEntries(keys.map((key) => [key, readJson(attributes[key]) ?? null]));
  const { id, ...message } = asMessage(body);
  if (Object.keys(body).length === 0) return undefined;
  // What a tool message answers to is its `id` here, `tool_call_id` everywhere else.
  const named =
    id === undefined ? message : { ...message, [message.role === "tool" ? "tool_call_id" : "id"]: id };
  const messages = readMessages(named);
  return messages && { messages, keys };
}

/** `gen_ai.choice`: `{index, finish_reason, message: {role?, content, tool_calls}}`, or the message's text alone. */
function asAnswer({ message, index, ...rest }: JsonObject): JsonObject {
  const said = isObject(message) ? message : message === undefined ? {} : { content: message };
  // The first choice is what everybody asks for; a place beyond it says something.
  return { role: "assistant", ...rest, ...said, ...(index !== undefined && index !== 0 && { index }) };
}

function readDetails(attributes: Attributes, candidates: readonly string[]): Read {
  const messages: Message[] = [];
  const keys: string[] = [];
  for (const key of candidates) {
    const value = readJson(attributes[key]);
    const read = key === "gen_ai.system_instructions" ? readInstructions(value) : readMessages(value);
    if (read === undefined) continue;
    messages.push(...read);
    keys.push(key);
  }
  return { messages, keys };
}

function readContent(attributes: Attributes, key: string, role: string): Read {
  const value: JsonValue | undefined = readJson(attributes[key]);
  const messages =
    readMessages(value) ?? (typeof value === "string" ? readMessages({ role, content: value }) : undefined);
  return messages && { messages, keys: [key] };
}
