import { expect } from "vitest";
import { askNode, type RawAnswer } from "./raw-http.ts";

/** One line of what a server tells Prometheus. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads `/metrics` as Prometheus would. */
export interface Scraper {
  ask(path?: string, method?: string): Promise<RawAnswer>;
  read(): Promise<readonly Sample[]>;
  /** The sum over all series of this name that have these labels. */
  valueOf(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

export function scrape(port: string | number): Scraper {
  const ask = (path = "/metrics", method = "GET"): Promise<RawAnswer> =>
    askNode(`http://127.0.0.1:${port}${path}`, { method });

  async function read(): Promise<readonly Sample[]> {
    const answer = await ask();
    expect(answer.status).toBe(200);
    return parseSamples(answer.body);
  }

  return {
    ask,
    read,
    async valueOf(name, labels = {}) {
      const found = (await read()).filter(
        (sample) =>
          sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
      );
      return found.reduce((sum, { value }) => sum + value, 0);
    },
  };
}

/** The text format of Prometheus, 0.0.4; what is not in it is an error. */
function parseSamples(text: string): readonly Sample[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name, , labels = "", value] = /^([a-z_]\w*)(\{(.*)\})? (\S+)$/i.exec(line) ?? [];
      // Of the process's own some are no number while there is nothing to tell; Prometheus takes any spelling.
      const isSample = name !== undefined && (/^nan$/i.test(value ?? "") || !Number.isNaN(Number(value)));
      if (!isSample) throw new Error(`no sample: ${line}`);
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, written = ""]) => [
        label,
        written,
      ]);
      return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) };
    });
}
