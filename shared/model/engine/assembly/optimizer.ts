// Optimizers with the float32 arithmetic of tfjs, over all trainable params at once. Scalars that tfjs computes in
// float64 and rounds once come in rounded.

import { storePart, within } from "./lane";

/** p += rate x g, rate = -(learning rate). */
export function sgd(p: usize, g: usize, count: usize, rate: f32): void {
  const r = f32x4.splat(rate);
  const most = p + ((count & ~15) << 2);
  for (; p < most; p += 64, g += 64) {
    v128.store(p, f32x4.add(f32x4.mul(r, v128.load(g)), v128.load(p)));
    v128.store(p, f32x4.add(f32x4.mul(r, v128.load(g, 16)), v128.load(p, 16)), 16);
    v128.store(p, f32x4.add(f32x4.mul(r, v128.load(g, 32)), v128.load(p, 32)), 32);
    v128.store(p, f32x4.add(f32x4.mul(r, v128.load(g, 48)), v128.load(p, 48)), 48);
  }
  const whole = p + ((count & 12) << 2);
  for (; p < whole; p += 16, g += 16) v128.store(p, f32x4.add(f32x4.mul(r, v128.load(g)), v128.load(p)));
  if ((count & 3) != 0) storePart(p, f32x4.add(f32x4.mul(r, v128.load(g)), v128.load(p)), count & 3);
}

/** m = momentum m + g; p += rate x (m, or g + momentum m: Nesterov). Sutskever et al. 2013, sec. 2. */
export function momentum(p: usize, g: usize, m: usize, count: usize, rate: f32, decay: f32, nesterov: i32): void {
  const r = f32x4.splat(rate);
  const d = f32x4.splat(decay);
  for (let i: usize = 0; i < count; i += 4) {
    const at = i << 2;
    const slope = v128.load(g + at);
    const speed = f32x4.add(f32x4.mul(d, v128.load(m + at)), slope);
    storePart(m + at, speed, count - i);
    const move = nesterov != 0 ? f32x4.add(slope, f32x4.mul(speed, d)) : speed;
    storePart(p + at, f32x4.add(f32x4.mul(r, move), v128.load(p + at)), count - i);
  }
}

/** Kingma and Ba 2015, algorithm 1; `scale1`, `scale2` are 1 / (1 - beta^t). */
export function adam(
  p: usize, g: usize, m: usize, v: usize, count: usize,
  rate: f32, beta1: f32, keep1: f32, beta2: f32, keep2: f32, scale1: f32, scale2: f32, epsilon: f32,
): void {
  const whole = count & ~3;
  for (let i: usize = 0; i < whole; i += 4) {
    const at = i << 2;
    const slope = v128.load(g + at);
    const first = f32x4.add(f32x4.mul(v128.load(m + at), f32x4.splat(beta1)), f32x4.mul(slope, f32x4.splat(keep1)));
    const second = f32x4.add(
      f32x4.mul(v128.load(v + at), f32x4.splat(beta2)),
      f32x4.mul(f32x4.mul(slope, slope), f32x4.splat(keep2)),
    );
    v128.store(m + at, first);
    v128.store(v + at, second);
    const size = f32x4.add(f32x4.sqrt(f32x4.mul(second, f32x4.splat(scale2))), f32x4.splat(epsilon));
    const move = f32x4.mul(f32x4.div(f32x4.mul(first, f32x4.splat(scale1)), size), f32x4.splat(rate));
    v128.store(p + at, f32x4.add(move, v128.load(p + at)));
  }
  for (let at = whole << 2; at < count << 2; at += 4) {
    const slope = load<f32>(g + at);
    const first = load<f32>(m + at) * beta1 + slope * keep1;
    const second = load<f32>(v + at) * beta2 + slope * slope * keep2;
    store<f32>(m + at, first);
    store<f32>(v + at, second);
    const size = sqrt<f32>(second * scale2) + epsilon;
    store<f32>(p + at, ((first * scale1) / size) * rate + load<f32>(p + at));
  }
}

/** Tieleman and Hinton 2012, lecture 6.5; epsilon inside the root, as in tfjs. */
export function rmsprop(p: usize, g: usize, v: usize, count: usize, rate: f32, decay: f32, keep: f32, epsilon: f32): void {
  for (let i: usize = 0; i < count; i += 4) {
    const at = i << 2;
    const slope = v128.load(g + at);
    const second = f32x4.add(
      f32x4.mul(v128.load(v + at), f32x4.splat(decay)),
      f32x4.mul(f32x4.mul(slope, slope), f32x4.splat(keep)),
    );
    storePart(v + at, second, count - i);
    const size = f32x4.sqrt(f32x4.add(second, f32x4.splat(epsilon)));
    const move = f32x4.div(f32x4.mul(slope, f32x4.splat(rate)), size);
    storePart(p + at, f32x4.sub(v128.load(p + at), move), count - i);
  }
}

/** Duchi et al. 2011, fig. 1, diagonal. */
export function adagrad(p: usize, g: usize, v: usize, count: usize, rate: f32, epsilon: f32): void {
  for (let i: usize = 0; i < count; i += 4) {
    const at = i << 2;
    const slope = v128.load(g + at);
    const sum = f32x4.add(v128.load(v + at), f32x4.mul(slope, slope));
    storePart(v + at, sum, count - i);
    const move = f32x4.mul(f32x4.div(slope, f32x4.sqrt(f32x4.add(sum, f32x4.splat(epsilon)))), f32x4.splat(rate));
    storePart(p + at, f32x4.add(move, v128.load(p + at)), count - i);
  }
}

/** g += l1 sign(p) + 2 l2 p; returns l1 sum |p| + l2 sum p^2. */
export function regularize(p: usize, g: usize, count: usize, l1: f32, l2: f32): f64 {
  let absolutes: f64 = 0;
  let squares: f64 = 0;
  for (let at: usize = 0; at < count << 2; at += 4) {
    const value = load<f32>(p + at);
    absolutes += <f64>abs<f32>(value);
    squares += <f64>value * <f64>value;
    const sign: f32 = value > 0 ? 1 : value < 0 ? -1 : 0;
    if (g != 0) store<f32>(g + at, load<f32>(g + at) + (l1 * sign + <f32>2 * l2 * value));
  }
  return <f64>l1 * absolutes + <f64>l2 * squares;
}

/** g += mu (p - anchor). Li et al. 2020 (FedProx), eq. 2. */
export function addProximal(p: usize, anchor: usize, g: usize, count: usize, mu: f32): void {
  const m = f32x4.splat(mu);
  for (let i: usize = 0; i < count; i += 4) {
    const at = i << 2;
    const far = f32x4.sub(v128.load(p + at), v128.load(anchor + at));
    storePart(g + at, f32x4.add(v128.load(g + at), f32x4.mul(m, far)), count - i);
  }
}

/** Sum of squares, in float64. */
export function squaredNorm(x: usize, count: usize): f64 {
  let sum: f64 = 0;
  for (let at: usize = 0; at < count << 2; at += 4) sum += <f64>load<f32>(x + at) * <f64>load<f32>(x + at);
  return sum;
}

/** Every value into [-limit, limit]. */
export function clamp(x: usize, count: usize, limit: f32): void {
  const top = f32x4.splat(limit);
  const low = f32x4.neg(top);
  for (let i: usize = 0; i < count; i += 4)
    storePart(x + (i << 2), within(v128.load(x + (i << 2)), low, top), count - i);
}
