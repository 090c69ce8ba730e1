// How values are brought to like size.

/** How columns are scaled. Fitted scaling is federated before the first round and frozen with the model. */
export type ScaleSpec =
  | { readonly kind: "none" }
  | { readonly kind: "standard" }
  /** By median and distance of the quartiles. */
  | { readonly kind: "robust" }
  /** To [low, high]. */
  | { readonly kind: "minmax"; readonly low: number; readonly high: number }
  /** (x - offset) * factor. */
  | { readonly kind: "constant"; readonly offset: number; readonly factor: number };
