/* One code under the penalty sum_k bound_k |z_k|^q: objective, and how far it is from stationary. */
#ifndef SKLVM_CODE_ROW_H
#define SKLVM_CODE_ROW_H

#include <stddef.h>

#include "certificate.h"
#include "gram_rows.h"
#include "prox.h"

typedef struct {
    ptrdiff_t n_atoms;
    const double *bound;
    double q;
    int positive;
    double lipschitz; /* largest eigenvalue of the Gram matrix */
} code_penalty;

SKLVM_INLINE double largest_ratio(const double *g, const double *bound, ptrdiff_t n,
                                  int positive) {
    double ratio = 0;
    for (ptrdiff_t k = 0; k < n; k++) {
        const double size = positive ? g[k] : fabs(g[k]);
        if (bound[k] > 0 && size > ratio * bound[k]) ratio = size / bound[k];
    }
    return ratio;
}

/* max |z - prox(z + g / L)|, relative to the larger of max |z| and max |c| / L. */
static inline double prox_residual(const code_penalty *p, const double *c, const double *g,
                            const double *z) {
    const double step = p->lipschitz > 0 ? 1 / p->lipschitz : 0;
    double residual = 0, scale = 0;
    for (ptrdiff_t k = 0; k < p->n_atoms; k++) {
        const double to = prox_power(z[k] + step * g[k], step * p->bound[k], p->q, p->positive);
        residual = larger(fabs(z[k] - to), residual);
        scale = larger(larger(fabs(z[k]), step * fabs(c[k])), scale);
    }
    return residual > 0 ? residual / scale : 0;
}

/* Relative duality gap if q = 1, proximal residual otherwise. */
SKLVM_CLONES static double certify_code(const code_penalty *p, const double *c, const double *g,
                                        const double *z, double squared_norm, double *objective) {
    double cz = 0, gz = 0, penalty = 0, gap, smallest = INFINITY, greatest = 0;
    for (ptrdiff_t k = 0; k < p->n_atoms; k++) {
        smallest = p->bound[k] < smallest ? p->bound[k] : smallest;
        greatest = larger(p->bound[k], greatest);
        if (z[k] == 0) continue;
        cz += c[k] * z[k];
        gz += g[k] * z[k];
        penalty += p->bound[k] * power_penalty(z[k], p->q);
    }
    if (p->q != 1) {
        const double r2 = squared_norm - cz - gz;
        *objective = 0.5 * (r2 > 0 ? r2 : 0) + penalty;
        return prox_residual(p, c, g, z);
    }
    gap = relative_gap(squared_norm, cz, gz, penalty,
                       largest_ratio(g, p->bound, p->n_atoms, p->positive), objective);
    if (smallest > 0) return gap;
    const double slope = unpenalised_slope(g, c, z, p->bound, p->n_atoms, p->positive);
    /* Without any penalty the objective may vanish, and the gap relative to it is rounding. */
    return greatest > 0 ? larger(gap, slope) : slope;
}

#endif
