import { z } from "zod";
import { deviceInWords, type Message, message } from "../../http/index.ts";
import type { Fact } from "../template.ts";

/** From where something was done, as far as anybody knows. */
export const origin = z.object({
  /** As `sessions` describes it: "Firefox on Linux". */
  device: z.string().optional(),
  /** In words, with the address. */
  place: z.string().optional(),
});
type Origin = z.infer<typeof origin>;

export const sampleOrigin: Origin = { device: "Firefox on Linux", place: "Malmö, Sweden · 192.0.2.7" };

export function factsOfOrigin({ device, place }: Origin): readonly Fact[] {
  return [
    ...(device === undefined ? [] : [{ label: message("mail.device"), value: deviceInWords(device) }]),
    ...(place === undefined ? [] : [{ label: message("mail.place"), value: verbatim(place) }]),
  ];
}

export const verbatim = (text: string): Message => message("verbatim", { text });
