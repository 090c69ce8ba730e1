// Memory of all threads: what lies there is read by a training worker without a copy.

/** Zeros that a worker thread reads without copying. */
export function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
}
