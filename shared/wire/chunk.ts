// Which bytes of an upload or a download are still missing, and how to cut them. Chunks may arrive in any
// order, twice, overlapping, or not at all.

/** Bytes from `offset` on: [offset, length]. */
export type ByteRange = readonly [offset: number, length: number];

/** The first `limit` gaps in `received`, ascending, within the first `total` bytes. */
export function missingRanges(
  received: readonly ByteRange[],
  total: number,
  limit: number,
): [offset: number, length: number][] {
  const gaps: [number, number][] = [];
  let covered = 0;
  for (const [offset, length] of received.toSorted(([a], [b]) => a - b)) {
    if (gaps.length >= limit || offset >= total) break;
    if (offset > covered) gaps.push([covered, offset - covered]);
    covered = Math.max(covered, offset + length);
  }
  if (covered < total && gaps.length < limit) gaps.push([covered, total - covered]);
  return gaps;
}

/** `ranges` of a blob of `total` bytes, cut into chunks of at most `chunkBytes`. What lies beyond it is dropped. */
export function splitChunks(
  total: number,
  chunkBytes: number,
  ranges: readonly ByteRange[],
): [offset: number, length: number][] {
  const chunks: [number, number][] = [];
  for (const [start, length] of ranges) {
    const end = Math.min(start + length, total);
    for (let offset = start; offset < end; offset += chunkBytes) {
      chunks.push([offset, Math.min(chunkBytes, end - offset)]);
    }
  }
  return chunks;
}
