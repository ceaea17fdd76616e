/** About the characters of the value's JSON, without making it. Iterative; what is no data counts as nothing. */
export function sizeOf(value: unknown): number {
  let size = 0;
  const stack: unknown[] = [value];
  while (stack.length > 0) {
    const current = stack.pop();
    if (typeof current === "string") size += current.length + 2;
    else if (typeof current === "number" || typeof current === "boolean") size += 4;
    else if (Array.isArray(current)) {
      size += 2 + current.length;
      for (const member of current) stack.push(member);
    } else if (typeof current === "object" && current !== null) {
      size += 2;
      for (const key in current) {
        const member = (current as Record<string, unknown>)[key];
        if (member === undefined) continue;
        size += key.length + 4;
        if (typeof member === "string") size += member.length + 2;
        else stack.push(member);
      }
    } else if (current !== undefined) size += 4;
  }
  return size;
}
