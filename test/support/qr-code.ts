import jsqr from "jsqr";
import { PNG } from "pngjs";

/** What a phone's camera reads from a picture (PNG). @throws Error when there is no QR code in it. */
export function readQrCode(picture: Buffer): string {
  const { data, width, height } = PNG.sync.read(picture);
  const code = jsqr.default(new Uint8ClampedArray(data), width, height);
  if (code === null) throw new Error("no QR code in the picture");
  return code.data;
}
