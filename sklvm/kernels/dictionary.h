/* Rows of dense matrices, added and subtracted: what the statistics and updates of a dictionary are
 * made of. Sums run in a fixed order.
 */
#ifndef SKLVM_DICTIONARY_H
#define SKLVM_DICTIONARY_H

#include <math.h>
#include <stddef.h>

#include "simd.h"

/* out += factor * row */
SKLVM_CLONES static void add_row(double *out, const double *row, double factor, ptrdiff_t n) {
    SKLVM_INDEPENDENT
    for (ptrdiff_t j = 0; j < n; j++) out[j] += factor * row[j];
}

/* out -= sum_k factors_k rows_k over the rows whose factor is not zero, four of them at a time. */
SKLVM_CLONES static void subtract_combination(double *out, const double *rows,
                                              const double *factors, ptrdiff_t n_rows,
                                              ptrdiff_t n) {
    ptrdiff_t k = 0;
    while (k < n_rows) {
        const double *r[4];
        double f[4];
        int count = 0;
        for (; k < n_rows && count < 4; k++)
            if (factors[k] != 0) {
                r[count] = rows + k * n;
                f[count++] = factors[k];
            }
        for (; count > 0 && count < 4; count++) {
            r[count] = r[0];
            f[count] = 0;
        }
        if (count == 0) return;
        const double *r0 = r[0], *r1 = r[1], *r2 = r[2], *r3 = r[3];
        const double f0 = f[0], f1 = f[1], f2 = f[2], f3 = f[3];
        SKLVM_INDEPENDENT
        for (ptrdiff_t j = 0; j < n; j++)
            out[j] -= (f0 * r0[j] + f1 * r1[j]) + (f2 * r2[j] + f3 * r3[j]);
    }
}

/* row = the point of the unit ball, non-negative on demand, that is closest to `to`. Returns the
 * squared distance from what was there. */
SKLVM_CLONES static double move_into_ball(double *row, double *to, ptrdiff_t n, int positive) {
    double squared_norm = 0, moved = 0, scale;
    if (positive)
        for (ptrdiff_t j = 0; j < n; j++) to[j] = to[j] > 0 ? to[j] : 0;
    for (ptrdiff_t j = 0; j < n; j++) squared_norm += to[j] * to[j];
    scale = squared_norm > 1 ? 1 / sqrt(squared_norm) : 1;
    for (ptrdiff_t j = 0; j < n; j++) {
        const double change = scale * to[j] - row[j];
        moved += change * change;
        row[j] = scale * to[j];
    }
    return moved;
}

#endif
