// The tensor datatypes of the Open Inference Protocol that are numbers: their size, their range, their little-endian bytes.

/** Datatypes that are taken; BYTES, which is text, is none of them. */
export type Datatype = keyof typeof DATATYPES;

interface DatatypeOf {
  readonly bytes: number;
  /** Whole numbers from `min` to `max`; undefined where fractions may be. */
  readonly whole?: { readonly min: number; readonly max: number };
  read(view: DataView, at: number): number;
}

// Beyond 2^53 - 1 not every whole number is a JSON number's or ours: INT64 and UINT64 are taken up to there.
const SAFE = Number.MAX_SAFE_INTEGER;

const DATATYPES = {
  BOOL: { bytes: 1, whole: { min: 0, max: 1 }, read: (view, at) => view.getUint8(at) },
  UINT8: { bytes: 1, whole: { min: 0, max: 0xff }, read: (view, at) => view.getUint8(at) },
  UINT16: { bytes: 2, whole: { min: 0, max: 0xffff }, read: (view, at) => view.getUint16(at, true) },
  UINT32: { bytes: 4, whole: { min: 0, max: 0xffff_ffff }, read: (view, at) => view.getUint32(at, true) },
  UINT64: { bytes: 8, whole: { min: 0, max: SAFE }, read: (view, at) => Number(view.getBigUint64(at, true)) },
  INT8: { bytes: 1, whole: { min: -0x80, max: 0x7f }, read: (view, at) => view.getInt8(at) },
  INT16: { bytes: 2, whole: { min: -0x8000, max: 0x7fff }, read: (view, at) => view.getInt16(at, true) },
  INT32: {
    bytes: 4,
    whole: { min: -0x8000_0000, max: 0x7fff_ffff },
    read: (view, at) => view.getInt32(at, true),
  },
  INT64: {
    bytes: 8,
    whole: { min: -SAFE, max: SAFE },
    read: (view, at) => Number(view.getBigInt64(at, true)),
  },
  FP16: { bytes: 2, read: (view, at) => halfToNumber(view.getUint16(at, true)) },
  FP32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  FP64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
} as const satisfies Readonly<Record<string, DatatypeOf>>;

/** All of them, for a message. */
export const datatypeNames: readonly string[] = Object.keys(DATATYPES);

/** True for the name of a datatype that is taken. */
export function isDatatype(name: string): name is Datatype {
  return Object.hasOwn(DATATYPES, name);
}

/** Bytes of one element. */
export function datatypeBytes(datatype: Datatype): number {
  return DATATYPES[datatype].bytes;
}

/** One element of raw little-endian data. */
export function readElement(datatype: Datatype, view: DataView, index: number): number {
  const { bytes, read } = DATATYPES[datatype];
  return read(view, index * bytes);
}

/**
 * Why a number cannot be an element of this datatype, undefined when it can. Beyond 2^53 - 1 a 64-bit integer is refused:
 * it would be another number than the one that was sent.
 */
export function elementProblem(datatype: Datatype, value: number): string | undefined {
  if (!Number.isFinite(value)) return `is ${value}: only finite numbers are taken`;
  const { whole }: DatatypeOf = DATATYPES[datatype];
  if (whole === undefined) return undefined;
  if (!Number.isInteger(value)) return `is ${value}, which is no whole number (${datatype})`;
  if (value >= whole.min && value <= whole.max) return undefined;
  return `is ${value}, outside ${whole.min} to ${whole.max} (${datatype})`;
}

/** IEEE 754 binary16. */
function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
