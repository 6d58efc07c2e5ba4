/** Stands for every value that a label is not to have. */
export const OTHER = "other";

/** The values of a label that are known beforehand: any other one is counted as `other`. */
export function closedValues(values: readonly string[]): (value: string) => string {
  const known: ReadonlySet<string> = new Set(values);
  return (value) => (known.has(value) ? value : OTHER);
}

/** For values that the code, not a stranger, chooses, but that no list names: the first ones that come, and then no more. */
export function firstValues(valuesMax: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= valuesMax || !/^[\w.:/-]{1,80}$/.test(value)) return OTHER;
    known.add(value);
    return value;
  };
}
