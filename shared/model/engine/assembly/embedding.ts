// Rows of a table by index.

/** y = table rows by the `count` indices of x; the position of the first that is no index below `size`, else count. */
export function gather(x: usize, table: usize, y: usize, count: usize, size: usize, width: usize): usize {
  const bytes = width << 2;
  for (let i: usize = 0; i < count; i++) {
    const index = load<f32>(x + (i << 2));
    if (!(index >= 0 && index < <f32>size)) return i;
    memory.copy(y + i * bytes, table + <usize>index * bytes, bytes);
  }
  return count;
}

/** dtable (zeroed first): the sum of dy by index. */
export function scatter(x: usize, dy: usize, dtable: usize, count: usize, size: usize, width: usize): void {
  const bytes = width << 2;
  memory.fill(dtable, 0, size * bytes);
  for (let i: usize = 0; i < count; i++) {
    const row = dtable + <usize>load<f32>(x + (i << 2)) * bytes;
    for (let j: usize = 0; j < bytes; j += 4) store<f32>(row + j, load<f32>(row + j) + load<f32>(dy + i * bytes + j));
  }
}
