/* Passes over all atoms, for one sample: correlations with the residual, and their violations.
 *
 * K atoms, their Gram matrix G row-major, c = x D^T. Sums run in a fixed order.
 */
#ifndef SKLVM_GRAM_ROWS_H
#define SKLVM_GRAM_ROWS_H

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "simd.h"

#define ATOM_BLOCK 32 /* atoms whose largest violation is noted together */
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

SKLVM_INLINE double largest_lane(const double *lanes) {
    return larger(larger(larger(lanes[0], lanes[4]), larger(lanes[1], lanes[5])),
                  larger(larger(lanes[2], lanes[6]), larger(lanes[3], lanes[7])));
}

SKLVM_INLINE void scan_violations(const double *g, const double *bound, const double *inverse,
                                  ptrdiff_t n, const int positive, double *block_excess,
                                  double *excess, double *ratio) {
    double ratios[ATOM_LANES] = {0};
    double top = -INFINITY;
    for (ptrdiff_t start = 0; start < n; start += ATOM_BLOCK) {
        double over[ATOM_LANES];
        const ptrdiff_t stop = start + ATOM_BLOCK < n ? start + ATOM_BLOCK : n;
        ptrdiff_t k = start;
        for (int lane = 0; lane < ATOM_LANES; lane++) over[lane] = -INFINITY;
        for (; k + ATOM_LANES <= stop; k += ATOM_LANES)
            for (int lane = 0; lane < ATOM_LANES; lane++) {
                const double size = positive ? g[k + lane] : fabs(g[k + lane]);
                over[lane] = larger(size - bound[k + lane], over[lane]);
                ratios[lane] = larger(size * inverse[k + lane], ratios[lane]);
            }
        for (int lane = 0; k + lane < stop; lane++) {
            const double size = positive ? g[k + lane] : fabs(g[k + lane]);
            over[lane] = larger(size - bound[k + lane], over[lane]);
            ratios[lane] = larger(size * inverse[k + lane], ratios[lane]);
        }
        block_excess[start / ATOM_BLOCK] = largest_lane(over);
        top = larger(block_excess[start / ATOM_BLOCK], top);
    }
    *excess = top;
    *ratio = largest_lane(ratios);
}

/* With h = |g|, or g where codes are non-negative: max of h - bound, by block and over all, and the
 * max of h * inverse. */
SKLVM_CLONES static void violations(const double *g, const double *bound, const double *inverse,
                                    ptrdiff_t n, int positive, double *block_excess,
                                    double *excess, double *ratio) {
    if (positive)
        scan_violations(g, bound, inverse, n, 1, block_excess, excess, ratio);
    else
        scan_violations(g, bound, inverse, n, 0, block_excess, excess, ratio);
}

#endif
