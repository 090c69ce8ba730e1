// How an aggregate moves the head: the server's half of the optimizer.

/** One rule. */
export interface ServerOptimizer {
  readonly name: string;
  /** The next params, a new array; every float is rounded once. */
  apply(params: Float32Array, aggregate: Float64Array): Float32Array;
}
