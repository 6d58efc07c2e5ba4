import { toString } from "qrcode";

/** A text as a QR code, dark on light in any color scheme: a `data:` address for an image. */
export async function qrCodeImage(text: string): Promise<string> {
  const svg = await toString(text, { type: "svg", errorCorrectionLevel: "M", margin: 2 });
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`;
}
