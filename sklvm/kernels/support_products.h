/* Products of a few atoms: with the data, and with each other, kept packed like their factor. */
#ifndef SKLVM_SUPPORT_PRODUCTS_H
#define SKLVM_SUPPORT_PRODUCTS_H

#include <stddef.h>

#include "simd.h"

#define DOT_LANES 16

SKLVM_CLONES static double long_dot(const double *x, const double *y, ptrdiff_t n) {
    double sums[DOT_LANES] = {0}, total = 0;
    ptrdiff_t i = 0;
    for (; i + DOT_LANES <= n; i += DOT_LANES)
        for (int lane = 0; lane < DOT_LANES; lane++) sums[lane] += x[i + lane] * y[i + lane];
    for (; i < n; i++) total += x[i] * y[i];
    for (int half = DOT_LANES / 2; half > 0; half /= 2)
        for (int lane = 0; lane < half; lane++) sums[lane] += sums[lane + half];
    return total + sums[0];
}

/* g = c - P a for the symmetric P whose lower triangle is packed row by row. */
SKLVM_CLONES static void support_correlations(const double *products, const double *c,
                                              const double *a, ptrdiff_t size, double *g) {
    for (ptrdiff_t i = 0; i < size; i++) {
        const double ai = a[i];
        double sum = products[i] * ai;
        SKLVM_INDEPENDENT
        for (ptrdiff_t j = 0; j < i; j++) g[j] -= products[j] * ai;
        for (ptrdiff_t j = 0; j < i; j++) sum += products[j] * a[j];
        g[i] = c[i] - sum;
        products += i + 1;
    }
}

/* sum_j a_j row[support_j] */
static inline double gathered_dot(const double *row, const ptrdiff_t *support, const double *a,
                                  ptrdiff_t size) {
    double sum = 0;
    for (ptrdiff_t j = 0; j < size; j++) sum += a[j] * row[support[j]];
    return sum;
}

/* The same from entry `first` on, where a is zero from there on. */
SKLVM_CLONES static void support_correlations_from(const double *products, const double *c,
                                                   const double *a, ptrdiff_t first,
                                                   ptrdiff_t size, double *g) {
    if (first == 0) {
        support_correlations(products, c, a, size, g);
        return;
    }
    products += first * (first + 1) / 2;
    for (ptrdiff_t i = first; i < size; i++) {
        g[i] = c[i] - long_dot(products, a, first);
        products += i + 1;
    }
}

/* Takes the rows and columns of mark 0, `first` the first of them, out of packed products. */
static inline void keep_rows(double *products, const double *marks, ptrdiff_t first,
                             ptrdiff_t size) {
    const double *row = products + first * (first + 1) / 2;
    double *to = products + first * (first + 1) / 2;
    for (ptrdiff_t i = first; i < size; i++) {
        if (marks[i] != 0)
            for (ptrdiff_t j = 0; j <= i; j++)
                if (marks[j] != 0) *to++ = row[j];
        row += i + 1;
    }
}

/* Sorts the entries of a sparse row by atom. */
static inline void sort_row(int *atoms, double *values, ptrdiff_t size) {
    for (ptrdiff_t i = 1; i < size; i++) {
        const int atom = atoms[i];
        const double value = values[i];
        ptrdiff_t j = i;
        for (; j > 0 && atoms[j - 1] > atom; j--) {
            atoms[j] = atoms[j - 1];
            values[j] = values[j - 1];
        }
        atoms[j] = atom;
        values[j] = value;
    }
}

#endif
