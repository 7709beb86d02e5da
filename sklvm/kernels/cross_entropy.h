/* Rows of sum_j S(u_j) - x_j u_j, and the derivatives s(u_j) - x_j, in one pass.
 *
 * S and s share their exponential. An x_j that is NaN is missing and has no part in either. Sums run
 * in float64 over ENTROPY_LANES interleaved sums that are added up in a fixed order.
 */
#ifndef SKLVM_CROSS_ENTROPY_H
#define SKLVM_CROSS_ENTROPY_H

#include <stddef.h>

#include "exponential.h"

#define ENTROPY_BLOCK 1024
#define ENTROPY_LANES 8

#define DEFINE_CROSS_ENTROPY(suffix, real, absolute)                                           \
    SKLVM_INLINE double entropy_sum_##suffix(const real *terms, ptrdiff_t n) {                 \
        double sums[ENTROPY_LANES] = {0.0};                                                    \
        ptrdiff_t j = 0;                                                                       \
        for (; j + ENTROPY_LANES <= n; j += ENTROPY_LANES)                                     \
            for (int lane = 0; lane < ENTROPY_LANES; lane++) sums[lane] += terms[j + lane];    \
        for (int lane = 0; j + lane < n; lane++) sums[lane] += terms[j + lane];                \
        return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +                                   \
               ((sums[2] + sums[6]) + (sums[3] + sums[7]));                                    \
    }                                                                                          \
                                                                                               \
    /* `residual` may be NULL. */                                                              \
    SKLVM_CLONES static double cross_entropy_row_##suffix(const real *u, const real *x,        \
                                                          real *residual, ptrdiff_t n) {       \
        double total = 0.0;                                                                    \
        for (ptrdiff_t start = 0; start < n; start += ENTROPY_BLOCK) {                         \
            const ptrdiff_t length = n - start < ENTROPY_BLOCK ? n - start : ENTROPY_BLOCK;    \
            real terms[ENTROPY_BLOCK], slopes[ENTROPY_BLOCK];                                  \
            SKLVM_INDEPENDENT                                                                  \
            for (ptrdiff_t j = 0; j < length; j++) {                                           \
                const real v = u[start + j], y = x[start + j];                                 \
                const real t = exp_nonpositive_##suffix(-absolute(v));                         \
                const real softplus = (v < 0 ? (real)0 : v) +                                  \
                                      twice_atanh_of_half_##suffix((t + t) / ((real)2 + t));   \
                const real sigmoid = (v < 0 ? t : (real)1) / ((real)1 + t);                    \
                terms[j] = y != y ? (real)0 : softplus - y * v;                                \
                slopes[j] = y != y ? (real)0 : sigmoid - y;                                    \
            }                                                                                  \
            total += entropy_sum_##suffix(terms, length);                                      \
            if (residual != NULL)                                                              \
                memcpy(residual + start, slopes, (size_t)length * sizeof(real));               \
        }                                                                                      \
        return total;                                                                          \
    }

DEFINE_CROSS_ENTROPY(f32, float, fabsf)
DEFINE_CROSS_ENTROPY(f64, double, fabs)

#endif
