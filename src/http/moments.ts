const DAY_MS = 24 * 60 * 60 * 1000;
/** For everybody: the pages know nobody's time zone, and a wrong one misleads who looks for a stranger's sign-in. */
const timeZone = "UTC";

/** Something that happened, and when that is told. */
export interface Moment {
  readonly atMs: number;
  readonly nowMs: number;
}

/** "today, 09:12 UTC", "yesterday, 23:40 UTC", "12 May 2026, 09:12 UTC", in the language's own words. */
export function momentInWords({ atMs, nowMs }: Moment, locale: string): string {
  return `${nearDay({ atMs, nowMs }, locale) ?? dateInWords(atMs, locale)}, ${clockInWords(atMs, locale)} UTC`;
}

/** "12 May 2026, 09:12 UTC" */
export function instantInWords(atMs: number, locale: string): string {
  return `${dateInWords(atMs, locale)}, ${clockInWords(atMs, locale)} UTC`;
}

/** "12 May 2026" */
export function dateInWords(atMs: number, locale: string): string {
  return new Intl.DateTimeFormat(regional(locale), { dateStyle: "long", timeZone }).format(atMs);
}

/** "09:12" */
export function clockInWords(atMs: number, locale: string): string {
  return new Intl.DateTimeFormat(regional(locale), {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone,
  }).format(atMs);
}

/** A day as a heading: "Today", "Yesterday", "Saturday 21 November". */
export function dayHeading(moment: Moment, locale: string): string {
  const format = new Intl.DateTimeFormat(regional(locale), {
    weekday: "long",
    day: "numeric",
    month: "long",
    timeZone,
  });
  const [first = "", ...rest] = nearDay(moment, locale) ?? format.format(moment.atMs);
  return first.toLocaleUpperCase(locale) + rest.join("");
}

/** The day that a moment is in, to group by. */
export function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

function nearDay({ atMs, nowMs }: Moment, locale: string): string | undefined {
  const daysAgo = dayOf(nowMs) - dayOf(atMs);
  if (daysAgo !== 0 && daysAgo !== 1) return undefined;
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-daysAgo, "day");
}

/** English without a region would be that of the USA, whose order of day and month few others expect. */
function regional(locale: string): string {
  return locale === "en" ? "en-GB" : locale;
}
