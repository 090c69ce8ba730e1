// Every kind of layer the fused engine runs, by its class name in a topology.

import type { LayerKind } from "../layer.js";
import { activation, elu, leakyRelu, relu, softmax } from "./activation.js";
import { conv1d, conv2d } from "./convolution.js";
import { dense } from "./dense.js";
import { depthwiseConv2d, separableConv2d } from "./depthwise.js";
import { dropout } from "./dropout.js";
import { embedding } from "./embedding.js";
import { add, concatenate, repeatVector } from "./merge.js";
import { batchNormalization, layerNormalization } from "./normalization.js";
import { globalPooling, pooling } from "./pool.js";
import { prelu } from "./prelu.js";
import { flatten, input, reshape } from "./shape.js";
import { bidirectional, recurrentKinds, timeDistributed } from "./wrapper.js";

/** Kinds by class name. */
export const layerKinds: Readonly<Record<string, LayerKind>> = {
  ...recurrentKinds,
  Activation: activation,
  Add: add,
  AveragePooling1D: pooling(1, false),
  AveragePooling2D: pooling(2, false),
  BatchNormalization: batchNormalization,
  Bidirectional: bidirectional,
  Concatenate: concatenate,
  Conv1D: conv1d,
  Conv2D: conv2d,
  Dense: dense,
  DepthwiseConv2D: depthwiseConv2d,
  Dropout: dropout,
  ELU: elu,
  Embedding: embedding,
  Flatten: flatten,
  GlobalAveragePooling1D: globalPooling(1, false),
  GlobalAveragePooling2D: globalPooling(2, false),
  GlobalMaxPooling1D: globalPooling(1, true),
  GlobalMaxPooling2D: globalPooling(2, true),
  InputLayer: input,
  LayerNormalization: layerNormalization,
  LeakyReLU: leakyRelu,
  MaxPooling1D: pooling(1, true),
  MaxPooling2D: pooling(2, true),
  PReLU: prelu,
  ReLU: relu,
  RepeatVector: repeatVector,
  Reshape: reshape,
  SeparableConv2D: separableConv2d,
  Softmax: softmax,
  TimeDistributed: timeDistributed,
};
