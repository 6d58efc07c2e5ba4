/**
 * Reading and writing of small binary values. A value that is too short to be what it should be reads as `undefined`
 * through {@link OctetReader.isIntact}, never as an exception: what cannot be read is not there.
 */
export class OctetWriter {
  readonly #parts: Buffer[] = [];

  uint8(value: number): this {
    this.#parts.push(Buffer.from([value]));
    return this;
  }

  uint32(value: number): this {
    const octets = Buffer.alloc(4);
    octets.writeUInt32BE(value);
    this.#parts.push(octets);
    return this;
  }

  octets(value: Uint8Array): this {
    this.#parts.push(Buffer.from(value));
    return this;
  }

  end(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export class OctetReader {
  readonly #value: Buffer;
  #at = 0;

  constructor(value: Buffer) {
    this.#value = value;
  }

  get isIntact(): boolean {
    return this.#at <= this.#value.length;
  }

  uint8(): number {
    return this.octets(1)[0] ?? 0;
  }

  uint32(): number {
    const part = this.octets(4);
    return part.length === 4 ? part.readUInt32BE(0) : 0;
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
