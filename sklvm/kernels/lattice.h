/* A row of an Ising lattice, given the rows above and below: bits x, with
 *     log p(x_s = 1 | others) / p(x_s = 0 | others) = b + J (ones - zeros among the neighbours).
 *
 * That takes few values, one for each number of ones among so many neighbours: they are kept as
 * probabilities, thresholds[5 * n_neighbours + n_ones].
 */
#ifndef SKLVM_LATTICE_H
#define SKLVM_LATTICE_H

#include <stddef.h>

#include "simd.h"

#define LATTICE_BLOCK 256

/* Draws the sites of one colour, columns j with j % 2 == parity. `above` and `below` are rows of 0
 * where there are none; `n_vertical` says how many there are. */
SKLVM_CLONES static void draw_lattice_row(const float *uniforms, const uint8_t *above,
                                          const uint8_t *below, uint8_t *x, ptrdiff_t width,
                                          int parity, int n_vertical, const float *thresholds) {
    /* In ascending order: for J < 0 it is the zeros that are counted. u < t[m] where as many as m of
     * them at most are no greater than u. */
    float t[5];
    const int n = n_vertical + 2, is_rising = thresholds[5 * n] <= thresholds[5 * n + 1];
    for (int k = 0; k < 5; k++)
        t[k] = k > n ? 2.0f : thresholds[5 * n + (is_rising ? k : n - k)];
    const float t0 = t[0], t1 = t[1], t2 = t[2], t3 = t[3], t4 = t[4];
    const int32_t base = is_rising ? 0 : n, sign = is_rising ? 1 : -1;
    int32_t counts[LATTICE_BLOCK], drawn[LATTICE_BLOCK];
    for (ptrdiff_t start = 1; start < width - 1; start += LATTICE_BLOCK) {
        const ptrdiff_t left = width - 1 - start;
        const int32_t length = (int32_t)(left < LATTICE_BLOCK ? left : LATTICE_BLOCK);
        const uint8_t *const a = above + start, *const b = below + start;
        const float *const u = uniforms + start;
        uint8_t *const row = x + start;
        for (int32_t j = 0; j < length; j++)
            counts[j] = base + sign * ((int32_t)a[j] + b[j] + row[j - 1] + row[j + 1]);
        for (int32_t j = 0; j < length; j++) {
            int32_t least = u[j] >= t0 ? 1 : 0;
            least += u[j] >= t1 ? 1 : 0;
            least += u[j] >= t2 ? 1 : 0;
            least += u[j] >= t3 ? 1 : 0;
            least += u[j] >= t4 ? 1 : 0;
            drawn[j] = counts[j] - least; /* not negative: 1 is drawn */
        }
        const int32_t other = (int32_t)(start & 1) ^ parity;
        for (int32_t j = 0; j < length; j++) {
            const int32_t kept = -((j ^ other) & 1), bit = 1 + (drawn[j] >> 31);
            row[j] = (uint8_t)((kept & row[j]) | (~kept & bit));
        }
    }
    for (int end = 0; end < 2; end++) {
        const ptrdiff_t j = end ? width - 1 : 0;
        if ((end && width == 1) || (j & 1) != parity) continue;
        const int has_left = j > 0, has_right = j < width - 1;
        const int ones = above[j] + below[j] + (has_left ? x[j - 1] : 0) + (has_right ? x[j + 1] : 0);
        x[j] = uniforms[j] < thresholds[5 * (n_vertical + has_left + has_right) + ones];
    }
}

#endif
