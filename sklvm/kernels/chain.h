/* Forward–backward and Viterbi's recursion over one sequence of a chain.
 *
 * The sequence has T rows and L labels; u_t(j) are its log-potentials, A(i, j) the transitions'. With
 * e_t(j) = exp(u_t(j) - max_j u_t) and K(i, j) = exp(A(i, j) - max A), both at most 1,
 *     a_t(j) = e_t(j) sum_i a_{t-1}(i) K(i, j) / c_t,      sum_j a_t(j) = 1,
 *     v_t(j) = e_t(j) b_t(j) / c_t,   b_{t-1}(i) = sum_j K(i, j) v_t(j),
 *     P(y_t = j) = a_t(j) b_t(j),     P(y_{t-1} = i, y_t = j) = a_{t-1}(i) K(i, j) v_t(j),
 *     log Z = sum_t (log c_t + max_j u_t) + (T - 1) max A      (Rabiner, 1989).
 * Each a_t(j) is at least e^-R / L, R being the range of u_t plus that of A: nothing is lost while R
 * is below about 600, which the caller checks.
 *
 * Rows of scratch arrays and of K have `stride` entries, L rounded up to CHAIN_LANES; the columns of
 * K beyond L are 0.
 */
#ifndef SKLVM_CHAIN_H
#define SKLVM_CHAIN_H

#include <stddef.h>

#include "exponential.h"

#define CHAIN_LANES 8

/* out = x K for the rows of K, x having L entries. */
SKLVM_INLINE void chain_product(const double *x, const double *K, ptrdiff_t L, ptrdiff_t stride,
                                double *out) {
    for (ptrdiff_t start = 0; start < stride; start += CHAIN_LANES) {
        double sums[CHAIN_LANES] = {0};
        const double *column = K + start;
        for (ptrdiff_t i = 0; i < L; i++) {
            const double factor = x[i];
            SKLVM_NOT_JAMMED;
            SKLVM_INDEPENDENT
            for (int lane = 0; lane < CHAIN_LANES; lane++) sums[lane] += factor * column[lane];
            column += stride;
        }
        for (int lane = 0; lane < CHAIN_LANES; lane++) out[start + lane] = sums[lane];
    }
}

/* x = x * y, and the sum of that. */
SKLVM_INLINE double chain_multiply(double *x, const double *y, ptrdiff_t stride) {
    double sums[CHAIN_LANES] = {0};
    for (ptrdiff_t start = 0; start < stride; start += CHAIN_LANES) {
        SKLVM_NOT_JAMMED;
        SKLVM_INDEPENDENT
        for (int lane = 0; lane < CHAIN_LANES; lane++) {
            x[start + lane] *= y[start + lane];
            sums[lane] += x[start + lane];
        }
    }
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

/* What is known of log Z: log(mantissa) + exponent log 2 + offset; and the widest range of a u_t. */
typedef struct {
    double mantissa, exponent, offset, range;
} chain_partition;

SKLVM_INLINE void chain_scale(double c, chain_partition *z) {
    const uint64_t bits = bits_of_f64(c);
    z->exponent += (double)((int64_t)(bits >> 52) - 1023);
    z->mantissa *= f64_of_bits((bits & 0x000fffffffffffffull) | 0x3ff0000000000000ull);
    if (z->mantissa >= 2.0) {
        z->mantissa *= 0.5;
        z->exponent += 1.0;
    }
}

/* e_t from u_t; the entries beyond L are 1. */
SKLVM_INLINE void chain_exponentials(const double *u, ptrdiff_t L, ptrdiff_t stride, double *e,
                                     chain_partition *z) {
    double highest = u[0], lowest = u[0];
    for (ptrdiff_t j = 1; j < L; j++) {
        highest = u[j] > highest ? u[j] : highest;
        lowest = u[j] < lowest ? u[j] : lowest;
    }
    z->offset += highest;
    z->range = highest - lowest > z->range ? highest - lowest : z->range;
    for (ptrdiff_t j = 0; j < L; j++) e[j] = u[j] - highest;
    SKLVM_INDEPENDENT
    for (ptrdiff_t j = L; j < stride; j++) e[j] = 0.0;
    SKLVM_INDEPENDENT
    for (ptrdiff_t j = 0; j < stride; j++) e[j] = exp_nonpositive_f64(e[j]);
}

/* Writes the T x L marginals; adds weight * a_{t-1}(i) v_t(j) to the L x stride `pairs`, K apart.
 * `K_transposed` is laid out as K is; `e` and `a` are T x stride, `b` and `v` of length stride. */
SKLVM_CLONES static void chain_marginals(const double *u, ptrdiff_t T, ptrdiff_t L,
                                         ptrdiff_t stride, const double *K,
                                         const double *K_transposed, double weight, double *e,
                                         double *a, double *b, double *v, double *marginals,
                                         double *pairs, chain_partition *z) {
    z->mantissa = 1.0;
    z->exponent = z->offset = z->range = 0.0;
    for (ptrdiff_t t = 0; t < T; t++) {
        double *const a_t = a + t * stride, *const e_t = e + t * stride;
        chain_exponentials(u + t * L, L, stride, e_t, z);
        if (t > 0)
            chain_product(a_t - stride, K, L, stride, a_t);
        else
            for (ptrdiff_t j = 0; j < stride; j++) a_t[j] = j < L ? 1.0 : 0.0;
        const double c = chain_multiply(a_t, e_t, stride);
        const double inverse = 1.0 / c;
        chain_scale(c, z);
        /* From here on e_t holds e_t / c_t, which is all that the way back needs. */
        SKLVM_INDEPENDENT
        for (ptrdiff_t j = 0; j < stride; j++) {
            a_t[j] *= inverse;
            e_t[j] *= inverse;
        }
    }
    SKLVM_INDEPENDENT
    for (ptrdiff_t j = 0; j < stride; j++) b[j] = j < L ? 1.0 : 0.0;
    for (ptrdiff_t t = T - 1; t >= 0; t--) {
        const double *const a_t = a + t * stride, *const e_t = e + t * stride;
        SKLVM_INDEPENDENT
        for (ptrdiff_t j = 0; j < stride; j++) v[j] = a_t[j];
        const double norm = 1.0 / chain_multiply(v, b, stride);
        for (ptrdiff_t j = 0; j < L; j++) marginals[t * L + j] = v[j] * norm;
        if (t == 0) break;
        SKLVM_INDEPENDENT
        for (ptrdiff_t j = 0; j < stride; j++) v[j] = e_t[j] * b[j];
        const double *const previous = a_t - stride;
        for (ptrdiff_t i = 0; i < L; i++) {
            const double factor = weight * previous[i];
            double *const row = pairs + i * stride;
            SKLVM_INDEPENDENT
            for (ptrdiff_t j = 0; j < stride; j++) row[j] += factor * v[j];
        }
        chain_product(v, K_transposed, L, stride, b);
    }
}

/* The path of the greatest sum of log-potentials; of equals the lowest label, from the end on.
 * `A` is L x stride; `back` is T x stride, `best` and `score` are of length stride. */
SKLVM_CLONES static void chain_best_path(const double *u, ptrdiff_t T, ptrdiff_t L,
                                         ptrdiff_t stride, const double *A, double *best,
                                         double *score, int32_t *back, int32_t *labels) {
    for (ptrdiff_t j = 0; j < L; j++) score[j] = u[j];
    for (ptrdiff_t t = 1; t < T; t++) {
        int32_t *const back_t = back + t * stride;
        for (ptrdiff_t start = 0; start < stride; start += CHAIN_LANES) {
            double top[CHAIN_LANES], from[CHAIN_LANES];
            for (int lane = 0; lane < CHAIN_LANES; lane++) {
                top[lane] = score[0] + A[start + lane];
                from[lane] = 0.0;
            }
            for (ptrdiff_t i = 1; i < L; i++) {
                const double previous = score[i], label = (double)i;
                const double *const row = A + i * stride + start;
                SKLVM_NOT_JAMMED;
                SKLVM_INDEPENDENT
                for (int lane = 0; lane < CHAIN_LANES; lane++) {
                    const double candidate = previous + row[lane];
                    from[lane] = candidate > top[lane] ? label : from[lane];
                    top[lane] = candidate > top[lane] ? candidate : top[lane];
                }
            }
            for (int lane = 0; lane < CHAIN_LANES; lane++) {
                best[start + lane] = top[lane];
                back_t[start + lane] = (int32_t)from[lane];
            }
        }
        for (ptrdiff_t j = 0; j < L; j++) score[j] = best[j] + u[t * L + j];
    }
    int32_t label = 0;
    for (int32_t j = 1; j < L; j++)
        if (score[j] > score[label]) label = j;
    for (ptrdiff_t t = T - 1; t > 0; t--) {
        labels[t] = label;
        label = back[t * stride + label];
    }
    labels[0] = label;
}

#endif
