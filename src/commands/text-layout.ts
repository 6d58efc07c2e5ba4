import { showable, showableJson } from "./showable.ts";

/** Rows under their headings, in columns two spaces apart. */
export function layOutTable(headings: readonly string[], given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map(showable));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  return [headings, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => line.trimEnd())
    .join("\n");
}

/** Keys with their values, one a line; what has no value is left out. */
export function layOutFields(fields: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && !isEmptyList(value));
  const width = Math.max(0, ...given.map(([key]) => key.length));
  return given.map(([key, value]) => `${key.padEnd(width)}  ${showValue(value)}`).join("\n");
}

/** A value as a person reads it: lists of text with commas, everything else as JSON. */
export function showValue(value: unknown): string {
  if (value === undefined) return "(none)";
  if (typeof value === "string") return showable(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return showable(value.join(", ")) || "(none)";
  }
  return showableJson(JSON.stringify(value));
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
