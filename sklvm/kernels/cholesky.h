/* A small Cholesky factor L of the Gram matrix of the atoms in use, grown row by row.
 *
 * L is packed: row i begins at L + i (i + 1) / 2 and holds, on the diagonal, 1 / L_ii.
 */
#ifndef SKLVM_CHOLESKY_H
#define SKLVM_CHOLESKY_H

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "simd.h"

/* An atom within this fraction of its squared norm of the span of the others depends on them. */
#define DEPENDENT 1e-10

SKLVM_INLINE double cholesky_dot(const double *x, const double *y, ptrdiff_t n) {
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    ptrdiff_t i = 0;
    for (; i + 4 <= n; i += 4) {
        s0 += x[i] * y[i];
        s1 += x[i + 1] * y[i + 1];
        s2 += x[i + 2] * y[i + 2];
        s3 += x[i + 3] * y[i + 3];
    }
    for (; i < n; i++) s0 += x[i] * y[i];
    return (s0 + s2) + (s1 + s3);
}

/* x = L^-1 x, where the `zeros` first of x are zero. Four rows at a time, whose products with what is
 * solved do not wait for each other. */
SKLVM_INLINE void solve_lower(const double *factor, double *x, ptrdiff_t zeros, ptrdiff_t size) {
    ptrdiff_t i = zeros;
    factor += zeros * (zeros + 1) / 2;
    for (; i + 4 <= size; i += 4) {
        const double *r0 = factor, *r1 = r0 + i + 1, *r2 = r1 + i + 2, *r3 = r2 + i + 3;
        double s0 = x[i], s1 = x[i + 1], s2 = x[i + 2], s3 = x[i + 3];
        for (ptrdiff_t l = zeros; l < i; l++) {
            const double xl = x[l];
            s0 -= r0[l] * xl;
            s1 -= r1[l] * xl;
            s2 -= r2[l] * xl;
            s3 -= r3[l] * xl;
        }
        x[i] = s0 *= r0[i];
        x[i + 1] = s1 = (s1 - r1[i] * s0) * r1[i + 1];
        x[i + 2] = s2 = ((s2 - r2[i] * s0) - r2[i + 1] * s1) * r2[i + 2];
        x[i + 3] = (((s3 - r3[i] * s0) - r3[i + 1] * s1) - r3[i + 2] * s2) * r3[i + 3];
        factor = r3 + i + 4;
    }
    for (; i < size; i++) {
        x[i] = (x[i] - cholesky_dot(factor + zeros, x + zeros, i - zeros)) * factor[i];
        factor += i + 1;
    }
}

/* Turns `row`, the products of an atom with the `size` before it and with itself, which follows their
 * factor, into its row of the factor. Returns what is left of its squared norm; the row is valid
 * only if that exceeds DEPENDENT times the squared norm. */
SKLVM_INLINE double cholesky_row(const double *factor, double *row, ptrdiff_t size) {
    double left;
    solve_lower(factor, row, 0, size);
    left = row[size] - cholesky_dot(row, row, size);
    row[size] = left > 0 ? 1 / sqrt(left) : 0;
    return left;
}

/* Appends atom support[size] to the factor of the atoms before it: see cholesky_row. */
SKLVM_CLONES static double cholesky_append(double *factor, const double *gram, ptrdiff_t n_atoms,
                                           const ptrdiff_t *support, ptrdiff_t size) {
    const double *products = gram + support[size] * n_atoms;
    double *row = factor + size * (size + 1) / 2;
    for (ptrdiff_t j = 0; j <= size; j++) row[j] = products[support[j]];
    return cholesky_row(factor, row, size);
}

/* The same from products[0] to products[size]. */
SKLVM_CLONES static double cholesky_extend(double *factor, const double *products,
                                           ptrdiff_t size) {
    double *row = factor + size * (size + 1) / 2;
    memcpy(row, products, (size_t)(size + 1) * sizeof *row);
    return cholesky_row(factor, row, size);
}

SKLVM_CLONES static void cholesky_forward_from(const double *factor, double *x, ptrdiff_t zeros,
                                               ptrdiff_t size) {
    solve_lower(factor, x, zeros, size);
}

static inline void cholesky_forward(const double *factor, double *x, ptrdiff_t size) {
    cholesky_forward_from(factor, x, 0, size);
}

/* x = L^-T x */
SKLVM_CLONES static void cholesky_backward(const double *factor, double *x, ptrdiff_t size) {
    factor += size * (size + 1) / 2;
    for (ptrdiff_t i = size - 1; i >= 0; i--) {
        factor -= i + 1;
        x[i] *= factor[i];
        const double xi = x[i];
        SKLVM_INDEPENDENT
        for (ptrdiff_t l = 0; l < i; l++) x[l] -= factor[l] * xi;
    }
}

#endif
