import { readFileSync, statSync } from "node:fs";
import { parsePlaceLine } from "./place-line.ts";
import { compareNetworks, createPlaceTable, type PlacedNetwork, type PlaceOf } from "./place-table.ts";

const FILE_MEBIBYTES_MAX = 64;
/** Whoever has more faults than this has the wrong file or the wrong format, and no use for a list of them. */
const FAULTS_NAMED_MAX = 50;

const UNREADABLE = "names a file that cannot be read";
const LINE_FEED = 0x0a;

/** What is wrong, in words that go on from the name of the setting and hold nothing of what the file says. */
export interface PlacesFault {
  readonly problem: string;
  /** `file`: it cannot be used at all. `line`: one line of it. */
  readonly about: "file" | "line";
}

interface LineFault {
  readonly line: number;
  readonly problem: string;
}

interface NumberedNetwork extends PlacedNetwork {
  readonly line: number;
}

/** Reads the whole file, once; `placeOf` knows nothing when there is any fault. */
export function readPlacesFile(path: string): { readonly placeOf: PlaceOf; readonly faults: readonly PlacesFault[] } {
  const content = readContent(path);
  if (typeof content === "string") return refuse([{ problem: content, about: "file" }]);
  const { networks, places, faults } = parseLines(content);
  networks.sort(compareNetworks);
  const all = [...faults, ...findRepeated(networks)].toSorted((left, right) => left.line - right.line);
  if (all.length > 0) return refuse(inWords(all));
  return { placeOf: createPlaceTable(networks, places), faults: [] };
}

function refuse(faults: readonly PlacesFault[]) {
  return { placeOf: () => undefined, faults };
}

/** The bytes, or why there are none. */
function readContent(path: string): Buffer | string {
  try {
    const stats = statSync(path);
    // A device or a pipe may never end.
    if (!stats.isFile()) return UNREADABLE;
    if (stats.size > FILE_MEBIBYTES_MAX * 2 ** 20) return `names a file of more than ${FILE_MEBIBYTES_MAX} MiB`;
    return readFileSync(path);
  } catch {
    return UNREADABLE;
  }
}

function parseLines(content: Buffer) {
  const networks: NumberedNetwork[] = [];
  const faults: LineFault[] = [];
  // Each place once, however many networks it has.
  const numbers = new Map<string, number>();
  let line = 0;
  for (const text of linesOf(content)) {
    line += 1;
    const parsed = parsePlaceLine(text);
    if (parsed.kind === "faulty") faults.push({ line, problem: parsed.problem });
    if (parsed.kind !== "place") continue;
    const place = numbers.get(parsed.place) ?? numbers.size;
    numbers.set(parsed.place, place);
    networks.push({ ...parsed.network, place, line });
  }
  return { networks, places: [...numbers.keys()], faults };
}

/** Each line is a text of its own: a part of the whole content would keep all of it in memory. */
function* linesOf(content: Buffer): Generator<string> {
  for (let begin = 0; begin < content.length;) {
    const found = content.indexOf(LINE_FEED, begin);
    const end = found === -1 ? content.length : found;
    yield content.toString("utf8", begin, end);
    begin = end + 1;
  }
}

/** @param sorted so that what is named twice stands side by side, the earlier line first. */
function findRepeated(sorted: readonly NumberedNetwork[]): readonly LineFault[] {
  return sorted.flatMap((network, index) => {
    const previous = sorted[index - 1];
    if (previous === undefined || compareNetworks(previous, network) !== 0) return [];
    return [{ line: network.line, problem: `names the network of line ${previous.line} again` }];
  });
}

function inWords(faults: readonly LineFault[]): readonly PlacesFault[] {
  const named = faults
    .slice(0, FAULTS_NAMED_MAX)
    .map(({ line, problem }): PlacesFault => ({ problem: `line ${line} ${problem}`, about: "line" }));
  const others = faults.length - named.length;
  if (others === 0) return named;
  return [
    ...named,
    { problem: `has ${others === 1 ? "1 more line" : `${others} more lines`} with faults`, about: "line" },
  ];
}
