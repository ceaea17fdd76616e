// The one conversation that every capture holds: a question, a tool call, an answer.
export const QUESTION = "What is the weather in Lisbon?";
export const ANSWER = "It is 21 degrees in Lisbon.";
export const CALL = { id: "call-1", name: "weather", arguments: { city: "Lisbon" } };
export const RESULT = { degrees: 21 };
