/* Passes over all atoms, for one sample: correlations with the residual.
 *
 * K atoms, their Gram matrix G row-major, c = x D^T. Sums run in a fixed order.
 */
#ifndef SKLVM_GRAM_ROWS_H
#define SKLVM_GRAM_ROWS_H

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "simd.h"

#define ATOM_LANES 8

/* g = c - sum_j a_j G[support_j], four rows at a time. */
SKLVM_CLONES static void residual_correlations(const double *c, const double *gram, ptrdiff_t n,
                                               const ptrdiff_t *support, const double *a,
                                               ptrdiff_t size, double *g) {
    const double *from = c;
    ptrdiff_t j = 0;
    for (; j + 4 <= size; j += 4) {
        const double *r0 = gram + support[j] * n, *r1 = gram + support[j + 1] * n;
        const double *r2 = gram + support[j + 2] * n, *r3 = gram + support[j + 3] * n;
        const double a0 = a[j], a1 = a[j + 1], a2 = a[j + 2], a3 = a[j + 3];
        SKLVM_INDEPENDENT
        for (ptrdiff_t k = 0; k < n; k++)
            g[k] = from[k] - ((a0 * r0[k] + a1 * r1[k]) + (a2 * r2[k] + a3 * r3[k]));
        from = g;
    }
    for (; j < size; j++) {
        const double *r0 = gram + support[j] * n;
        const double a0 = a[j];
        SKLVM_INDEPENDENT
        for (ptrdiff_t k = 0; k < n; k++) g[k] = from[k] - a0 * r0[k];
        from = g;
    }
    if (from == c) memcpy(g, c, (size_t)n * sizeof *g);
}

/* g -= factor * row */
SKLVM_CLONES static void subtract_row(double *g, const double *row, double factor, ptrdiff_t n) {
    SKLVM_INDEPENDENT
    for (ptrdiff_t k = 0; k < n; k++) g[k] -= factor * row[k];
}

SKLVM_INLINE double larger(double a, double b) { return a > b ? a : b; }

#endif
