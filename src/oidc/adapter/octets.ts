export const VARINT_MAX = 2 ** 28 - 1;
const VARINT_BYTES_MAX = 4;

/**
 * Reading and writing of small binary values. A value that is too short to be what it should be reads as `undefined`
 * through {@link OctetReader.isIntact}, never as an exception: what cannot be read is not there.
 */
export class OctetWriter {
  #value = Buffer.allocUnsafe(64);
  #length = 0;

  uint8(value: number): this {
    this.#reserve(1);
    this.#length = this.#value.writeUInt8(value, this.#length);
    return this;
  }

  uint32(value: number): this {
    this.#reserve(4);
    this.#length = this.#value.writeUInt32BE(value, this.#length);
    return this;
  }

  /** A whole number from 0 to 2^28 - 1, in as many bytes as it needs: seven bits each, the highest says "more". */
  varint(value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > VARINT_MAX) throw new RangeError("not a varint of four bytes");
    let rest = value;
    while (rest > 0x7f) {
      this.uint8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.uint8(rest);
  }

  octets(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#value.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  end(): Buffer {
    return this.#value.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#value.length) return;
    this.#value = Buffer.concat([this.#value.subarray(0, this.#length), Buffer.allocUnsafe(this.#length + count)]);
  }
}

export class OctetReader {
  readonly #value: Buffer;
  #at = 0;
  #isMalformed = false;

  constructor(value: Buffer) {
    this.#value = value;
  }

  get isIntact(): boolean {
    return !this.#isMalformed && this.#at <= this.#value.length;
  }

  uint8(): number {
    return this.octets(1)[0] ?? 0;
  }

  uint32(): number {
    const part = this.octets(4);
    return part.length === 4 ? part.readUInt32BE(0) : 0;
  }

  varint(): number {
    let value = 0;
    for (let at = 0; at < VARINT_BYTES_MAX; at += 1) {
      const octet = this.uint8();
      value |= (octet & 0x7f) << (7 * at);
      if (octet < 0x80) return value;
    }
    this.#isMalformed = true;
    return value;
  }

  octets(count: number): Buffer {
    const part = this.#value.subarray(this.#at, this.#at + count);
    this.#at += count;
    return part;
  }

  rest(): Buffer {
    return this.#value.subarray(this.#at);
  }
}
