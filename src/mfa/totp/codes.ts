import { generateSync } from "otplib";
import { type Clock, epochSeconds, equalOctets } from "../../core/index.ts";

const STEP_SECONDS = 30;
/** How many steps a device's clock may be off, each way (RFC 6238, section 5.2). */
const DRIFT_STEPS = 1;
const TYPED_CHARACTERS_MAX = 64;
/** Compared in the place of what is no code, so that all wrong ones take the same time. */
const NO_CODE = "------";
const SPACES_AND_HYPHENS = /[\s\p{Pd}]/gu;
const DECIMAL_DIGIT = /^\p{Nd}$/u;

/** The 30-second step that the clock is in. */
export function stepAt(clock: Clock): number {
  return Math.floor(epochSeconds(clock) / STEP_SECONDS);
}

/** The code of a step: HOTP with the step as its counter (RFC 6238, section 4.2). */
export function codeOf(secret: Uint8Array, step: number): string {
  return generateSync({ strategy: "hotp", secret, counter: step });
}

/**
 * Reads what a person typed as six ASCII digits, whatever spaces, hyphens and decimal digits they used; `undefined` for
 * anything else. All spellings of a code are one code.
 */
export function parseCode(typed: string): string | undefined {
  if (typed.length > TYPED_CHARACTERS_MAX) return undefined;
  const compact = typed.normalize("NFKC").replaceAll(SPACES_AND_HYPHENS, "");
  const code = Array.from(compact, asciiDigit).join("");
  return /^[0-9]{6}$/.test(code) ? code : undefined;
}

/** Digits of every script stand in rows of ten, from 0 to 9 (Unicode 16, section 4.6). */
function asciiDigit(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0;
  if (!DECIMAL_DIGIT.test(character)) return character;
  let before = 0;
  while (DECIMAL_DIGIT.test(String.fromCodePoint(codePoint - before - 1))) before += 1;
  return String(before % 10);
}

/**
 * The newest step around `now` of which this is the code. Every step is computed and compared to the end, also for what
 * is no code: the time that it takes tells nothing.
 */
export function findStep(secret: Uint8Array, code: string | undefined, now: number): number | undefined {
  const given = Buffer.from(code ?? NO_CODE);
  let found: number | undefined;
  for (let step = now - DRIFT_STEPS; step <= now + DRIFT_STEPS; step += 1) {
    if (equalOctets(Buffer.from(codeOf(secret, step)), given)) found = step;
  }
  return found;
}
