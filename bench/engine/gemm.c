// The tile of assembly/gemm.ts in C, four rows by eight columns, without fused multiply-add: what the machine gives to the
// same loops. `gemm ROWSxCOLUMNSxLENGTH[t] ...` prints GFLOP/s, one line each; t: A lies transposed.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef float v4 __attribute__((vector_size(16), aligned(4)));

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static inline void tile(const float *a, int row, int step, const float *b, int ldb, float *c, int ldc, int k) {
  v4 c0[4] = {{0}}, c1[4] = {{0}};
  for (int p = 0; p < k; p++) {
    const v4 b0 = *(const v4 *)(b + p * ldb), b1 = *(const v4 *)(b + p * ldb + 4);
    for (int i = 0; i < 4; i++) {
      const float x = a[i * row + p * step];
      const v4 xs = {x, x, x, x};
      c0[i] += xs * b0;
      c1[i] += xs * b1;
    }
  }
  for (int i = 0; i < 4; i++) {
    *(v4 *)(c + i * ldc) = c0[i];
    *(v4 *)(c + i * ldc + 4) = c1[i];
  }
}

int main(int argc, char **argv) {
  for (int at = 1; at < argc; at++) {
    int m, n, k;
    char form = 0;
    if (sscanf(argv[at], "%dx%dx%d%c", &m, &n, &k, &form) < 3) return 1;
    const int rows = (m + 3) & ~3, columns = (n + 7) & ~7;
    float *a = calloc(rows * k, 4), *b = calloc(k * columns, 4), *c = calloc(rows * columns, 4);
    for (int i = 0; i < rows * k; i++) a[i] = 0.5f;
    for (int i = 0; i < k * columns; i++) b[i] = 0.25f;
    double best = 0;
    for (int burst = 0; burst < 5; burst++) {
      long runs = 0;
      const double start = now();
      double spent = 0;
      for (; spent < 0.05; spent = now() - start, runs++)
        for (int j = 0; j < columns; j += 8)
          for (int i = 0; i < rows; i += 4) {
            float *to = c + i * columns + j;
            // Strides that are constants, as in the loops for either form.
            if (form == 't') tile(a + i, 1, rows, b + j, columns, to, columns, k);
            else tile(a + i * k, k, 1, b + j, columns, to, columns, k);
          }
      const double rate = 2.0 * m * n * k * runs / spent / 1e9;
      if (rate > best) best = rate;
    }
    printf("%f\n", best + 0 * c[0]);
    free(a), free(b), free(c);
  }
}
