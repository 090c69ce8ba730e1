// IDX files for tests: the format MNIST comes in.

/** An IDX file of unsigned bytes: type 8, the lengths first axis first, then the data. */
export function idxFile(lengths: readonly number[], data: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * lengths.length);
  header[2] = 8;
  header[3] = lengths.length;
  lengths.forEach((length, axis) => {
    header.writeUInt32BE(length, 4 + 4 * axis);
  });
  return Buffer.concat([header, Buffer.from(data)]);
}
