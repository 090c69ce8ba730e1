// What the signal kernels work on.

/** Equally spaced samples. Blocks of readings are float32; kernels compute in float64 whatever they are given. */
export type Samples = Float32Array | Float64Array;
