/* One step of ISTA or FISTA on one code: certificate, momentum, gradient, prox and restart in one go.
 *
 * With p = z G at hand for this code and the last, the gradient at z + beta (z - last) needs no
 * product of its own.
 */
#ifndef SKLVM_PROXIMAL_STEP_H
#define SKLVM_PROXIMAL_STEP_H

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "code_row.h"
#include "simd.h"

/* Objectives that differ by less of |x|^2 are equal but for rounding. */
#define OBJECTIVE_ROUNDING 1e-13

/* next = prox(y + g(y) / L), y = z + beta (z - last); next may be last. Returns <y - next, next - z>,
 * which is positive where the momentum points uphill. */
SKLVM_INLINE double l1_step(const code_penalty *p, const double *c, const double *z,
                            const double *product, const double *last_product, double *last,
                            double beta, const int positive) {
    const double step = 1 / p->lipschitz;
    double uphill[ATOM_LANES] = {0};
    for (ptrdiff_t start = 0; start < p->n_atoms; start += ATOM_LANES) {
        const ptrdiff_t left = p->n_atoms - start;
        const int lanes = left < ATOM_LANES ? (int)left : ATOM_LANES;
        for (int lane = 0; lane < lanes; lane++) {
            const ptrdiff_t k = start + lane;
            const double y = z[k] + beta * (z[k] - last[k]);
            const double g = c[k] - (product[k] + beta * (product[k] - last_product[k]));
            const double next = prox_l1(y + step * g, step * p->bound[k], positive);
            uphill[lane] += (y - next) * (next - z[k]);
            last[k] = next;
        }
    }
    return ((uphill[0] + uphill[4]) + (uphill[1] + uphill[5])) +
           ((uphill[2] + uphill[6]) + (uphill[3] + uphill[7]));
}

static double power_step(const code_penalty *p, const double *c, const double *z,
                         const double *product, const double *last_product, double *last,
                         double beta) {
    const double step = 1 / p->lipschitz;
    double uphill = 0;
    for (ptrdiff_t k = 0; k < p->n_atoms; k++) {
        const double y = z[k] + beta * (z[k] - last[k]);
        const double g = c[k] - (product[k] + beta * (product[k] - last_product[k]));
        const double next = prox_power(y + step * g, step * p->bound[k], p->q, p->positive);
        uphill += (y - next) * (next - z[k]);
        last[k] = next;
    }
    return uphill;
}

/* Certifies z, and puts the next code in the place of last: z itself where the certificate is within
 * tol. momentum is FISTA's t, 0 for ISTA. */
SKLVM_CLONES static double proximal_step(const code_penalty *p, const double *c,
                                         double squared_norm, double *z, double *last,
                                         double *product, double *last_product, double *momentum,
                                         double *objective, double *g, double tol) {
    const ptrdiff_t n = p->n_atoms;
    const double last_objective = *objective;
    double beta = 0, uphill, certificate;
    for (ptrdiff_t k = 0; k < n; k++) g[k] = c[k] - product[k];
    certificate = certify_code(p, c, g, z, squared_norm, objective);
    if (certificate <= tol || !(p->lipschitz > 0)) {
        memcpy(last, z, (size_t)n * sizeof *z);
        memcpy(last_product, product, (size_t)n * sizeof *product);
        return certificate;
    }
    if (*momentum > 0) {
        /* Without convexity, momentum that went uphill is undone. */
        if (p->q != 1 && *objective > last_objective + OBJECTIVE_ROUNDING * squared_norm) {
            memcpy(z, last, (size_t)n * sizeof *z);
            memcpy(product, last_product, (size_t)n * sizeof *product);
            *objective = last_objective;
            *momentum = 1;
        }
        const double next_momentum = 0.5 * (1 + sqrt(1 + 4 * *momentum * *momentum));
        beta = (*momentum - 1) / next_momentum;
        *momentum = next_momentum;
    }
    if (p->q != 1)
        uphill = power_step(p, c, z, product, last_product, last, beta);
    else if (p->positive)
        uphill = l1_step(p, c, z, product, last_product, last, beta, 1);
    else
        uphill = l1_step(p, c, z, product, last_product, last, beta, 0);
    if (uphill > 0 && *momentum > 0) *momentum = 1;
    return certificate;
}

#endif
