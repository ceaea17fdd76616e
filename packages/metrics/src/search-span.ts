import {
  type Content,
  type JsonValue,
  type MessagePart,
  plainAttribute,
  SEARCH_PLACES,
  type SearchHit,
  type SearchPlace,
  type SearchSpansQuery,
  SpanloomError,
  type SpanRecord,
} from "@spanloom/model";

/** Hits that one span shows. */
const MAX_HITS = 5;
const MAX_TEXT = 500;
/** Characters of a snippet on either side of what was found. */
const AROUND = 40;

/**
 * Makes the question to ask of each span: where does the text stand in it? Empty where it does not. Throws
 * `invalid_argument` for a text or a place that cannot be searched.
 */
export function createSpanSearch(query: SearchSpansQuery): (span: SpanRecord) => SearchHit[] {
  const text = checkText(query.text).toLowerCase();
  const places = SEARCH_PLACES.filter(checkPlaces(query.places));
  return (span) => {
    const hits: SearchHit[] = [];
    for (const place of places) {
      for (const [key, found] of PLACES[place](span)) {
        const snippet = snippetOf(found, text);
        if (snippet === undefined) continue;
        // One hit a key: the next one says more than the same one again.
        if (!hits.some((hit) => hit.place === place && hit.key === key)) hits.push({ place, key, snippet });
        if (hits.length === MAX_HITS) return hits;
      }
    }
    return hits;
  };
}

type Keyed = Iterable<[key: string, text: string]>;

/** What can be read at each place. */
const PLACES: Record<SearchPlace, (span: SpanRecord) => Keyed> = {
  *name({ name, agent, nodeId, model, status }) {
    yield ["name", name];
    if (agent !== undefined) yield ["agent", agent];
    if (nodeId !== undefined) yield ["nodeId", nodeId];
    if (model !== undefined) yield ["model", model];
    if (status.message !== undefined) yield ["status", status.message];
  },
  *attributes({ attributes }) {
    for (const [key, value] of Object.entries(attributes)) {
      yield [key, key];
      for (const text of textsIn(plainAttribute(value))) yield [key, text];
    }
  },
  *events({ events }) {
    for (const { name, attributes } of events) {
      yield [name, name];
      for (const text of textsIn(plainAttribute(attributes))) yield [name, text];
    }
  },
  *content({ input, output, stateBefore, stateAfter }) {
    for (const [key, content] of Object.entries({ input, output, stateBefore, stateAfter })) {
      if (content !== undefined) for (const text of textsOf(content)) yield [key, text];
    }
  },
};

function* textsOf(content: Content): Iterable<string> {
  if (content.format !== "messages") {
    if (content.text !== undefined) yield content.text;
    if (content.format === "json" && content.json !== undefined) yield* textsIn(content.json);
    return;
  }
  for (const { role, name, parts } of content.messages ?? []) {
    yield role;
    if (name !== undefined) yield name;
    for (const part of parts) yield* textsInPart(part);
  }
}

function* textsInPart(part: MessagePart): Iterable<string> {
  if (part.type === "text" || part.type === "reasoning") yield part.content;
  else {
    const { type, ...rest } = part;
    for (const value of Object.values(rest)) yield* textsIn(value);
  }
}

/** Every key and every value of a JSON value, as text. Without recursion: a hostile value may be deep. */
function* textsIn(value: JsonValue): Iterable<string> {
  const open: JsonValue[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) yield String(next);
    else if (Array.isArray(next)) open.push(...next.toReversed());
    else {
      for (const [key, member] of Object.entries(next).reverse()) open.push(member, key);
    }
  }
}

/** The text with what stands around it; `undefined` where it is not there. */
function snippetOf(found: string, text: string): string | undefined {
  const lower = found.toLowerCase();
  const at = lower.indexOf(text);
  if (at === -1) return undefined;
  // A few letters grow when they become small: then places differ, and the small text itself is shown.
  const shown = lower.length === found.length ? found : lower;
  const from = Math.max(0, at - AROUND);
  const to = Math.min(shown.length, at + text.length + AROUND);
  const cut = shown.slice(from, to).replace(/\p{Surrogate}/gu, "");
  return `${from > 0 ? "…" : ""}${cut}${to < shown.length ? "…" : ""}`;
}

function checkText(text: unknown): string {
  if (typeof text === "string" && text.length > 0 && text.length <= MAX_TEXT) return text;
  throw new SpanloomError("invalid_argument", {
    what: "The text to search for cannot be used.",
    why: `It must have 1 to ${MAX_TEXT} characters.`,
    fix: "Search for a part of it.",
  });
}

function checkPlaces(places: unknown): (place: SearchPlace) => boolean {
  if (places === undefined) return () => true;
  const known = (place: unknown): boolean => SEARCH_PLACES.some((one) => one === place);
  if (Array.isArray(places) && places.length > 0 && places.every(known))
    return (place) => places.includes(place);
  throw new SpanloomError("invalid_argument", {
    what: "The places to search in cannot be used.",
    why: `They must be some of ${SEARCH_PLACES.join(", ")}.`,
    fix: "Leave them out to search everywhere.",
  });
}
