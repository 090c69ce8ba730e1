// Embedding: rows of a table, by index.

import { HeadwaterError } from "../../../error.js";
import { sizeOf } from "../../../params/spec.js";
import { type LayerKind, single } from "../layer.js";

/** tfjs `layers.embedding`. An index outside the table throws HeadwaterError `data-invalid`. */
export const embedding: LayerKind = (config, inputs) => {
  const input = single(inputs);
  const size = config.count("input_dim");
  const width = config.count("output_dim");
  config.ignore("embeddings_initializer", "input_length");
  config.refuse("mask_zero", "embeddings_constraint", "activity_regularizer");
  const regularizer = config.regularizer("embeddings_regularizer");
  const columns = sizeOf(input);
  return {
    output: [...input, width],
    params: [{ name: "embeddings", shape: [size, width], trainable: true, regularizer }],
    emit: ({ kernels, x: [x = 0], y, dy, params: [table = 0], gradients: [dTable = 0] }) => ({
      forward(rows) {
        const bad = kernels.gather(x, table, y, rows * columns, size, width);
        if (bad === rows * columns) return;
        const place = `row ${Math.floor(bad / columns)}, column ${bad % columns}`;
        throw new HeadwaterError("data-invalid", `embedding input ${place} is no index below ${size}`);
      },
      backward(rows) {
        if (dTable !== 0) kernels.scatter(x, dy, dTable, rows * columns, size, width);
      },
    }),
  };
};
