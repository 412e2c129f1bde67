/**
 * Remembers what was made of a text, where the same text always makes the same. It is asked on every request, where an
 * order of what was used last would cost more than making some of it again: when there is too much, all is forgotten.
 */
export function memoizeByText<T extends object>(make: (text: string) => T, most = 5_000): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make(text);
    if (known.size >= most) known.clear();
    known.set(text, made);
    return made;
  };
}
