/* Products of all pairs of a row's entries, x_a x_b for a <= b, and what they pass back.
 *
 * Sums run over PAIR_LANES interleaved partial sums that are added up in a fixed order.
 */
#ifndef SKLVM_PAIRS_H
#define SKLVM_PAIRS_H

#include <stddef.h>

#include "simd.h"

#define PAIR_LANES 8

#define DEFINE_PAIRS(suffix, real)                                                              \
    SKLVM_CLONES static void pair_row_##suffix(const real *x, ptrdiff_t width, real *products) { \
        for (ptrdiff_t a = 0; a < width; a++) {                                                 \
            const real factor = x[a];                                                           \
            SKLVM_INDEPENDENT                                                                   \
            for (ptrdiff_t b = a; b < width; b++) products[b - a] = factor * x[b];              \
            products += width - a;                                                              \
        }                                                                                       \
    }                                                                                           \
                                                                                                \
    SKLVM_INLINE real pair_dot_##suffix(const real *x, const real *y, ptrdiff_t n) {            \
        real sums[PAIR_LANES] = {0};                                                            \
        ptrdiff_t i = 0;                                                                        \
        for (; i + PAIR_LANES <= n; i += PAIR_LANES)                                            \
            for (int lane = 0; lane < PAIR_LANES; lane++)                                       \
                sums[lane] += x[i + lane] * y[i + lane];                                        \
        for (int lane = 0; i + lane < n; lane++) sums[lane] += x[i + lane] * y[i + lane];       \
        return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +                                    \
               ((sums[2] + sums[6]) + (sums[3] + sums[7]));                                     \
    }                                                                                           \
                                                                                                \
    SKLVM_CLONES static void pair_row_vjp_##suffix(const real *x, ptrdiff_t width,              \
                                                   const real *products_bar, real *x_bar) {     \
        for (ptrdiff_t a = 0; a < width; a++) x_bar[a] = 0;                                     \
        for (ptrdiff_t a = 0; a < width; a++) {                                                 \
            const real factor = x[a];                                                           \
            const ptrdiff_t n = width - a;                                                      \
            x_bar[a] += pair_dot_##suffix(products_bar, x + a, n);                              \
            SKLVM_INDEPENDENT                                                                   \
            for (ptrdiff_t b = 0; b < n; b++) x_bar[a + b] += factor * products_bar[b];         \
            products_bar += n;                                                                  \
        }                                                                                       \
    }

DEFINE_PAIRS(f32, float)
DEFINE_PAIRS(f64, double)

#endif
