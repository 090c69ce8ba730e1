// CBOR (RFC 8949), as far as sensors speak it: numbers, truths, text, bytes, arrays, maps with text or integer keys,
// and of the tags decimal fractions and typed arrays (RFC 8746); any other tag is passed over, what it marks is kept.
// Every length is checked against the bytes left before anything is allocated and nesting has an end, so a payload
// costs no more than a bounded multiple of its own size.

const DEPTH_MAX = 16;

/** The one value that `bytes` hold, or undefined when they hold anything else. Maps have no prototype. Never throws. */
export function readCbor(bytes: Uint8Array): { readonly value: unknown } | undefined {
  const reader = new Reader(bytes);
  try {
    const value = reader.read(DEPTH_MAX);
    return reader.isAtEnd ? { value } : undefined;
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

/** Thrown within this file only. */
class Malformed extends Error {}

/** Ends a string, array or map of indefinite length. */
const BREAK = Symbol("break");
const INDEFINITE = -1;

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  read(depth: number): unknown {
    const value = this.#item(depth);
    if (value === BREAK) throw new Malformed();
    return value;
  }

  #item(depth: number): unknown {
    if (depth < 0) throw new Malformed();
    const initial = this.#view.getUint8(this.#take(1));
    const major = initial >> 5;
    const info = initial & 31;
    if (major === 7) return this.#simple(info);
    const argument = this.#argument(info);
    switch (major) {
      case 0:
        return definite(argument);
      case 1:
        return -1 - definite(argument);
      case 2:
        return argument === INDEFINITE ? this.#pieces(2) : this.#string(argument);
      case 3:
        return utf8(argument === INDEFINITE ? this.#pieces(3) : this.#string(argument));
      case 4:
        return this.#array(argument, depth);
      case 5:
        return this.#map(argument, depth);
      default:
        return tagged(definite(argument), this.read(depth - 1));
    }
  }

  #take(count: number): number {
    const start = this.#offset;
    if (count > this.#bytes.length - start) throw new Malformed();
    this.#offset = start + count;
    return start;
  }

  #argument(info: number): number {
    if (info < 24) return info;
    switch (info) {
      case 24:
        return this.#view.getUint8(this.#take(1));
      case 25:
        return this.#view.getUint16(this.#take(2));
      case 26:
        return this.#view.getUint32(this.#take(4));
      case 27:
        return Number(this.#view.getBigUint64(this.#take(8)));
      case 31:
        return INDEFINITE;
      default:
        throw new Malformed();
    }
  }

  #simple(info: number): unknown {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 23:
        return undefined;
      case 25:
        return halfFloat(this.#view.getUint16(this.#take(2)));
      case 26:
        return this.#view.getFloat32(this.#take(4));
      case 27:
        return this.#view.getFloat64(this.#take(8));
      case 31:
        return BREAK;
      default:
        throw new Malformed();
    }
  }

  #string(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  #pieces(major: 2 | 3): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (;;) {
      const initial = this.#view.getUint8(this.#take(1));
      if (initial === 0xff) return Buffer.concat(pieces);
      if (initial >> 5 !== major) throw new Malformed();
      pieces.push(this.#string(definite(this.#argument(initial & 31))));
    }
  }

  #array(length: number, depth: number): unknown[] {
    const array: unknown[] = [];
    // Every element takes at least one byte.
    if (length > this.#bytes.length - this.#offset) throw new Malformed();
    for (let i = 0; i !== length; i++) {
      const value = this.#item(depth - 1);
      if (value === BREAK) {
        if (length === INDEFINITE) return array;
        throw new Malformed();
      }
      array.push(value);
    }
    return array;
  }

  #map(length: number, depth: number): object {
    const map: Record<string, unknown> = Object.create(null);
    if (length > (this.#bytes.length - this.#offset) / 2) throw new Malformed();
    for (let i = 0; i !== length; i++) {
      const key = this.#item(depth - 1);
      if (key === BREAK && length === INDEFINITE) return map;
      if (typeof key !== "string" && !Number.isInteger(key)) throw new Malformed();
      map[String(key)] = this.read(depth - 1);
    }
    return map;
  }
}

function definite(argument: number): number {
  if (argument === INDEFINITE) throw new Malformed();
  return argument;
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

/** RFC 8949, appendix D. */
function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (fraction + 1024) * 2 ** (exponent - 25));
}

const DECIMAL_FRACTION = 4;

function tagged(tag: number, value: unknown): unknown {
  if (tag === DECIMAL_FRACTION) return decimalFraction(value);
  if (value instanceof Uint8Array && Object.hasOwn(elements, tag)) return typedArray(elements[tag]!, value);
  return value;
}

function decimalFraction(value: unknown): number | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [exponent, mantissa]: readonly unknown[] = value;
  if (!Number.isInteger(exponent) || !Number.isInteger(mantissa)) return undefined;
  return Number(`${mantissa}e${exponent}`);
}

interface Element {
  readonly bytes: number;
  read(view: DataView, offset: number): number;
}

// RFC 8746, sec. 2.1, by tag; the 64-bit integers and 128-bit floats are left out.
const elements: Readonly<Record<number, Element>> = {
  64: { bytes: 1, read: (view, at) => view.getUint8(at) },
  65: { bytes: 2, read: (view, at) => view.getUint16(at) },
  66: { bytes: 4, read: (view, at) => view.getUint32(at) },
  68: { bytes: 1, read: (view, at) => view.getUint8(at) },
  69: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  70: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  72: { bytes: 1, read: (view, at) => view.getInt8(at) },
  73: { bytes: 2, read: (view, at) => view.getInt16(at) },
  74: { bytes: 4, read: (view, at) => view.getInt32(at) },
  77: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  78: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  80: { bytes: 2, read: (view, at) => halfFloat(view.getUint16(at)) },
  81: { bytes: 4, read: (view, at) => view.getFloat32(at) },
  82: { bytes: 8, read: (view, at) => view.getFloat64(at) },
  84: { bytes: 2, read: (view, at) => halfFloat(view.getUint16(at, true)) },
  85: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  86: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

function typedArray({ bytes, read }: Element, block: Uint8Array): Float64Array | undefined {
  if (block.length % bytes !== 0) return undefined;
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const values = new Float64Array(block.length / bytes);
  for (let i = 0; i < values.length; i++) values[i] = read(view, i * bytes);
  return values;
}
