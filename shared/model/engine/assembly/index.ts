// The kernels, as one WebAssembly module over an imported memory. Pointers and strides are in bytes.
export { activate, activateBack, prelu, preluBack, softmax, softmaxBack } from "./activation";
export { convolve, convolveFilter, depthwise, depthwiseBack, placeImages } from "./convolution";
export { gather, scatter } from "./embedding";
export { gemm } from "./gemm";
export { categoricalLoss, elementLoss, oneHot } from "./loss";
export {
  columnMoments,
  fill,
  multiply,
  normalizeColumns,
  normalizeColumnsBack,
  normalizeRows,
  normalizeRowsBack,
  moveAverage,
} from "./normalization";
export { adagrad, adam, clamp, momentum, regularize, addProximal, rmsprop, sgd, squaredNorm } from "./optimizer";
export { pool, poolBack } from "./pool";
export { gruGates, gruGatesBack, gruOutput, gruOutputBack, lstmOutput, lstmOutputBack } from "./recurrent";
export { add, columnSums, copyRows, dropout, firstNotFinite, scale, transpose, zero } from "./vector";
