/* Passes over all atoms for one sample, in the precision REAL: include with REAL and SCAN(name)
 * defined. What float passes find is taken as a hint, and what matters is computed again in double.
 *
 * g = c - sum_j a_j G[support_j], and h = |g|, or g where codes are non-negative. Rows are padded to
 * a multiple of ATOM_BLOCK: c and G by zeros, bound by infinity. Sums run in a fixed order.
 *
 * Atoms k of one remainder k % LANES, a lane, have the largest of their h - bound noted together.
 */
#ifndef SKLVM_CORRELATION_SCAN_H
#define SKLVM_CORRELATION_SCAN_H

#include <math.h>
#include <stddef.h>

#include "simd.h"

#define ATOM_BLOCK 64

#endif

#define LANES (64 / (int)sizeof(REAL))

/* g = from - the rows of n atoms (1 to 4), g may be from. */
SKLVM_INLINE void SCAN(subtract_rows)(const REAL *from, const REAL *gram, ptrdiff_t stride,
                                      const ptrdiff_t *atoms, const double *a, const int n,
                                      REAL *g) {
    const REAL *r0 = gram + atoms[0] * stride, *r1 = n > 1 ? gram + atoms[1] * stride : r0;
    const REAL *r2 = n > 2 ? gram + atoms[2] * stride : r0;
    const REAL *r3 = n > 3 ? gram + atoms[3] * stride : r0;
    const REAL a0 = (REAL)a[0], a1 = n > 1 ? (REAL)a[1] : 0;
    const REAL a2 = n > 2 ? (REAL)a[2] : 0, a3 = n > 3 ? (REAL)a[3] : 0;
    SKLVM_INDEPENDENT
    for (ptrdiff_t k = 0; k < stride; k++) {
        REAL sum = a0 * r0[k];
        if (n > 1) sum += a1 * r1[k];
        if (n > 2) sum += a2 * r2[k];
        if (n > 3) sum += a3 * r3[k];
        g[k] = from[k] - sum;
    }
}

SKLVM_INLINE REAL SCAN(greater)(REAL x, REAL y) { return x > y ? x : y; }

SKLVM_INLINE REAL SCAN(excess)(REAL g, REAL bound, const int positive) {
    return (positive ? g : SCAN(absolute)(g)) - bound;
}

/* Of g - change * row, which is written to g if `change` is not 0, the largest h - bound of each
 * lane; returns the largest of all. */
SKLVM_INLINE double SCAN(lane_maxima)(REAL *g, const REAL *row, const REAL change,
                                      const REAL *bound, ptrdiff_t stride, const int positive,
                                      REAL *lane_excess) {
    REAL over[LANES], top;
    for (int lane = 0; lane < LANES; lane++) over[lane] = -(REAL)INFINITY;
    for (ptrdiff_t start = 0; start < stride; start += 4 * LANES) {
        SKLVM_INDEPENDENT
        for (int lane = 0; lane < LANES; lane++) {
            REAL *gk = g + start + lane;
            const REAL *bk = bound + start + lane, *rk = row + start + lane;
            REAL e[4];
            for (int i = 0; i < 4; i++) {
                const REAL to = change != 0 ? gk[i * LANES] - change * rk[i * LANES]
                                            : gk[i * LANES];
                if (change != 0) gk[i * LANES] = to;
                e[i] = SCAN(excess)(to, bk[i * LANES], positive);
            }
            over[lane] = SCAN(greater)(SCAN(greater)(SCAN(greater)(e[0], e[1]),
                                                     SCAN(greater)(e[2], e[3])), over[lane]);
        }
    }
    memcpy(lane_excess, over, sizeof over);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int lane = 0; lane < half; lane++)
            over[lane] = SCAN(greater)(over[lane], over[lane + half]);
    top = over[0];
    return top;
}

/* Computes g, and the largest h - bound of each lane; returns the largest of all. */
SKLVM_CLONES static double SCAN(scan_correlations)(const REAL *c, const REAL *gram,
                                                   const REAL *bound, ptrdiff_t stride,
                                                   const ptrdiff_t *support, const double *a,
                                                   ptrdiff_t size, int positive, REAL *g,
                                                   REAL *lane_excess) {
    const REAL *from = c;
    ptrdiff_t j = 0;
    for (; j + 4 <= size; j += 4) {
        SCAN(subtract_rows)(from, gram, stride, support + j, a + j, 4, g);
        from = g;
    }
    if (size - j == 3)
        SCAN(subtract_rows)(from, gram, stride, support + j, a + j, 3, g);
    else if (size - j == 2)
        SCAN(subtract_rows)(from, gram, stride, support + j, a + j, 2, g);
    else if (size - j == 1)
        SCAN(subtract_rows)(from, gram, stride, support + j, a + j, 1, g);
    else if (size == 0)
        memcpy(g, c, (size_t)stride * sizeof *g);
    return positive ? SCAN(lane_maxima)(g, g, 0, bound, stride, 1, lane_excess)
                    : SCAN(lane_maxima)(g, g, 0, bound, stride, 0, lane_excess);
}

/* g -= change * row; then as scan_correlations. */
SKLVM_CLONES static double SCAN(step_correlations)(const REAL *row, const REAL *bound,
                                                   ptrdiff_t stride, int positive, double change,
                                                   REAL *g, REAL *lane_excess) {
    const REAL by = (REAL)change;
    return positive ? SCAN(lane_maxima)(g, row, by, bound, stride, 1, lane_excess)
                    : SCAN(lane_maxima)(g, row, by, bound, stride, 0, lane_excess);
}

/* The next of `n` atoms after `k`, lane by lane (-1: the first), whose h - bound is at least `least`;
 * `n` if there is none. Padding is never found, not even where `least` is -infinity. */
static ptrdiff_t SCAN(next_near)(const REAL *g, const REAL *bound, const REAL *lane_excess,
                                 ptrdiff_t n, int positive, double least, ptrdiff_t k) {
    const REAL lowest = (REAL)least;
    ptrdiff_t lane = k < 0 ? 0 : k % LANES;
    k = k < 0 ? 0 : k + LANES;
    for (; lane < LANES; lane++, k = lane) {
        if (lane_excess[lane] < lowest) continue;
        for (; k < n; k += LANES)
            if (SCAN(excess)(g[k], bound[k], positive) >= lowest) return k;
    }
    return n;
}

#undef LANES
