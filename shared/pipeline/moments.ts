// Count, mean, spread and extremes of numbers seen one by one, or of two such summaries put together.

/** A running summary. Welford 1962 to add, Chan, Golub and LeVeque 1983 to merge; float64 throughout. */
export class Moments {
  count = 0;
  mean = 0;
  /** Sum of squared deviations from the mean. */
  m2 = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  add(x: number): void {
    this.count += 1;
    const delta = x - this.mean;
    this.mean += delta / this.count;
    this.m2 += delta * (x - this.mean);
    if (x < this.min) this.min = x;
    if (x > this.max) this.max = x;
  }

  merge(other: Readonly<Moments>): void {
    if (other.count === 0) return;
    const count = this.count + other.count;
    const delta = other.mean - this.mean;
    this.mean += delta * (other.count / count);
    this.m2 += other.m2 + delta * delta * ((this.count * other.count) / count);
    this.count = count;
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
  }

  copyFrom(other: Readonly<Moments>): void {
    this.count = other.count;
    this.mean = other.mean;
    this.m2 = other.m2;
    this.min = other.min;
    this.max = other.max;
  }

  /** The summary as five numbers. */
  save(): readonly number[] {
    return [this.count, this.mean, this.m2, this.min, this.max];
  }

  restore(saved: ArrayLike<number>, at = 0): void {
    this.count = saved[at]!;
    this.mean = saved[at + 1]!;
    this.m2 = saved[at + 2]!;
    this.min = saved[at + 3]!;
    this.max = saved[at + 4]!;
  }

  reset(): void {
    this.count = 0;
    this.mean = 0;
    this.m2 = 0;
    this.min = Number.POSITIVE_INFINITY;
    this.max = Number.NEGATIVE_INFINITY;
  }

  /** Population standard deviation (divided by the count): 0 for a single value. */
  get std(): number {
    return this.count === 0 ? 0 : Math.sqrt(this.m2 / this.count);
  }
}
