import type { SpanSkeleton } from "./span.ts";

export const SEARCH_PLACES = ["name", "attributes", "events", "content"] as const;
/**
 * Where a search looks: `name` (span name, agent, node id, model, status message), `attributes` (keys and values), `events`
 * (names, attribute keys and values), `content` (input, output, state before and after).
 */
export type SearchPlace = (typeof SEARCH_PLACES)[number];

export interface SearchSpansQuery {
  /** 1 to 500 characters, found as they stand, without regard to case. */
  text: string;
  /** Everywhere where absent. */
  places?: SearchPlace[];
  cursor?: string;
  /** 1 to 1,000; 200 where absent. */
  limit?: number;
}

/** One place in a span where the text stands. */
export interface SearchHit {
  place: SearchPlace;
  /** The field, attribute key, event name or content field, e.g. `output`. */
  key: string;
  /** The text with up to 40 characters on either side, cut ends marked by `…`. */
  snippet: string;
}

export interface SpanMatch extends Pick<SpanSkeleton, "traceId" | "spanId"> {
  /** The first hits of the span, at most 5, in the order of {@link SEARCH_PLACES}. */
  hits: SearchHit[];
}

/** Matching spans in the order of the trace's pages. */
export interface SpanMatches {
  items: SpanMatch[];
  /** The commit that all pages of this search look at. */
  asOfSeq: number;
  /**
   * There may be more. A page may hold fewer matches than asked for, also none, when much had to be looked through: only
   * the absence of a cursor says that the search is done.
   */
  nextCursor?: string;
  /**
   * Set by a server whose caller may not see content: then neither content nor attributes that hold such were looked at,
   * and nothing tells whether the text stands there.
   */
  contentWithheld?: true;
}
