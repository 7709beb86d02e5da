/* How far a code is from the minimum of  1/2 |x - z D|^2 + sum_k bound_k |z_k|,  z >= 0 on demand.
 *
 * For g = (x - z D) D^T, s (x - z D) is feasible in the dual for s <= bound_k / |g_k|, and with
 * r2 = |x - z D|^2, xr = <x, x - z D> its dual objective is s xr - s^2 r2 / 2.
 */
#ifndef SKLVM_CERTIFICATE_H
#define SKLVM_CERTIFICATE_H

#include <math.h>
#include <stddef.h>

#include "simd.h"

/* Where the objective is below this fraction of 1/2 |x|^2, the gap is told relative to that: smaller
 * ones are lost in the rounding of |x|^2. */
#define SMALLEST_OBJECTIVE 1e-6

/* Relative duality gap from sums: cz = <c, z>, gz = <g, z>, penalty = sum_k bound_k |z_k|,
 * ratio = max |g_k| / bound_k. Writes the objective. */
SKLVM_INLINE double relative_gap(double squared_norm, double cz, double gz, double penalty,
                                 double ratio, double *objective) {
    const double xr = squared_norm - cz;
    const double r2 = xr - gz > 0 ? xr - gz : 0;
    const double scale = ratio > 1 ? 1 / ratio : 1;
    const double smallest = SMALLEST_OBJECTIVE * 0.5 * squared_norm;
    double gap;
    *objective = 0.5 * r2 + penalty;
    gap = *objective - (scale * xr - 0.5 * scale * scale * r2);
    if (!(gap > 0)) return 0;
    return gap / (*objective > smallest ? *objective : smallest);
}

/* What unpenalised coefficients lack of optimality: their max |g_k|, or g_k where z_k = 0 may only
 * grow, relative to max |c|. */
SKLVM_INLINE double unpenalised_slope(const double *g, const double *c, const double *z,
                                      const double *bound, ptrdiff_t n, int positive) {
    double slope = 0, scale = 0;
    for (ptrdiff_t k = 0; k < n; k++) {
        const double size = positive && z[k] == 0 ? g[k] : fabs(g[k]);
        if (bound[k] == 0 && size > slope) slope = size;
        if (fabs(c[k]) > scale) scale = fabs(c[k]);
    }
    return slope > 0 ? slope / scale : 0;
}

#endif
