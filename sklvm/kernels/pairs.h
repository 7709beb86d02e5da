/* Products of all pairs of a row's entries, x_a x_b for a <= b, and what they pass back.
 *
 * Sums run over PAIR_LANES interleaved partial sums that are added up in a fixed order.
 */
#ifndef SKLVM_PAIRS_H
#define SKLVM_PAIRS_H

#include <stddef.h>
#include <string.h>

#include "simd.h"

#define PAIR_LANES 8

/* Left to itself, the compiler does not vectorise a sum and an update in one loop. */
#if defined(__GNUC__) || defined(__clang__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi" /* every function with such an argument is inlined */
#endif
typedef float pair_lanes_f32 __attribute__((vector_size(PAIR_LANES * sizeof(float))));
typedef double pair_lanes_f64 __attribute__((vector_size(PAIR_LANES * sizeof(double))));

#define DEFINE_PAIR_BLOCK(suffix, real)                                                         \
    SKLVM_INLINE void pair_block_##suffix(const real *bar, const real *x, real factor,          \
                                          real *sums, real *x_bar) {                            \
        pair_lanes_##suffix b, given, sum, pulled;                                              \
        memcpy(&b, bar, sizeof b);                                                              \
        memcpy(&given, x, sizeof b);                                                            \
        memcpy(&sum, sums, sizeof b);                                                           \
        memcpy(&pulled, x_bar, sizeof b);                                                       \
        sum += b * given;                                                                       \
        pulled += factor * b;                                                                   \
        memcpy(sums, &sum, sizeof b);                                                           \
        memcpy(x_bar, &pulled, sizeof b);                                                       \
    }
#else
#define DEFINE_PAIR_BLOCK(suffix, real)                                                         \
    SKLVM_INLINE void pair_block_##suffix(const real *bar, const real *x, real factor,          \
                                          real *sums, real *x_bar) {                            \
        for (int lane = 0; lane < PAIR_LANES; lane++) {                                         \
            sums[lane] += bar[lane] * x[lane];                                                  \
            x_bar[lane] += factor * bar[lane];                                                  \
        }                                                                                       \
    }
#endif

#define DEFINE_PAIRS(suffix, real)                                                              \
    DEFINE_PAIR_BLOCK(suffix, real)                                                             \
                                                                                                \
    SKLVM_CLONES static void pair_row_##suffix(const real *x, ptrdiff_t width, real *products) { \
        for (ptrdiff_t a = 0; a < width; a++) {                                                 \
            const real factor = x[a];                                                           \
            SKLVM_INDEPENDENT                                                                   \
            for (ptrdiff_t b = a; b < width; b++) products[b - a] = factor * x[b];              \
            products += width - a;                                                              \
        }                                                                                       \
    }                                                                                           \
                                                                                                \
    /* A row of the triangle, without its first entry, is a row and a column of the symmetric   \
     * matrix: returns its product with x, and adds `factor` times it to x_bar. */              \
    SKLVM_INLINE real pair_row_and_column_##suffix(const real *bar, const real *x, ptrdiff_t n, \
                                                   real factor, real *x_bar) {                  \
        real sums[PAIR_LANES] = {0};                                                            \
        ptrdiff_t i = 0;                                                                        \
        for (; i + PAIR_LANES <= n; i += PAIR_LANES)                                            \
            pair_block_##suffix(bar + i, x + i, factor, sums, x_bar + i);                       \
        real rest = 0;                                                                          \
        for (; i < n; i++) {                                                                    \
            rest += bar[i] * x[i];                                                              \
            x_bar[i] += factor * bar[i];                                                        \
        }                                                                                       \
        return (((sums[0] + sums[4]) + (sums[2] + sums[6])) +                                   \
                ((sums[1] + sums[5]) + (sums[3] + sums[7]))) + rest;                            \
    }                                                                                           \
                                                                                                \
    SKLVM_CLONES static void pair_row_vjp_##suffix(const real *x, ptrdiff_t width,              \
                                                   const real *products_bar, real *x_bar) {     \
        for (ptrdiff_t a = 0; a < width; a++) x_bar[a] = 0;                                     \
        for (ptrdiff_t a = 0; a < width; a++) {                                                 \
            x_bar[a] += 2 * x[a] * products_bar[0] +                                            \
                        pair_row_and_column_##suffix(products_bar + 1, x + a + 1, width - a - 1, \
                                                     x[a], x_bar + a + 1);                      \
            products_bar += width - a;                                                          \
        }                                                                                       \
    }

DEFINE_PAIRS(f32, float)
DEFINE_PAIRS(f64, double)

#endif
