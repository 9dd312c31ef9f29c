// Numbers of things in sentences.

/** `1 tensor`, `2 tensors`; `many` where an s does not make the plural. */
export function counted(count: number, one: string, many?: string): string {
  return `${count} ${plural(count, one, many)}`;
}

/** The word alone: `tensor`, `tensors`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}
