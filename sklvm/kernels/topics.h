/* Passes over the words of documents, in the precision REAL: include with REAL and TOPIC(name)
 * defined. Rows over topics are padded by zeros to a multiple of TOPIC_LANES, so that every sum over
 * topics runs in the same order on every CPU.
 *
 * A document is a list of n words w with counts c_w. Tables over words have one row a word.
 */
#ifndef SKLVM_TOPICS_H
#define SKLVM_TOPICS_H

#include <stddef.h>

#include "exponential.h"

#define TOPIC_LANES 8

/* exp psi(x) for x >= 0: psi(x) = psi(x + 8) - sum over i < 8 of 1 / (x + i), and psi(y) = log y - 1/(2y)
 * - 1/(12 y^2) + 1/(120 y^4) - 1/(252 y^6) + 1/(240 y^8) - 1/(132 y^10), to 1e-13 for y >= 8. All
 * but log y is negative. */
SKLVM_INLINE double exp_digamma(double x) {
    const double y = x + 8, z = 1 / (y * y);
    double exponent = -0.5 / y - z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (
                                 1.0 / 240 - z * (1.0 / 132)))));
    for (int i = 0; i < 8; i++) exponent -= 1 / (x + i);
    return y * exp_nonpositive_f64(exponent);
}

#endif

/* The sum of TOPIC_LANES partial sums, always by the same tree. */
SKLVM_INLINE REAL TOPIC(lane_sum)(const REAL *s) {
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

SKLVM_INLINE REAL TOPIC(dot)(const REAL *x, const REAL *y, ptrdiff_t n_topics) {
    REAL sums[TOPIC_LANES] = {0};
    for (ptrdiff_t k = 0; k < n_topics; k += TOPIC_LANES)
        for (int lane = 0; lane < TOPIC_LANES; lane++) sums[lane] += x[k + lane] * y[k + lane];
    return TOPIC(lane_sum)(sums);
}

/* Expected counts of a document's topics by fixed-point iteration,
 *
 *     N_k <- t_k sum_w c_w table_wk / p_w,     p_w = sum_k t_k table_wk,     t = f(N + prior),
 *
 * f(c) = c, or exp psi(c) where `digamma` is set, until N changes by no more than tol times the
 * document's length, or max_iter times. `counts` holds N, its start and its end; `shares` is t; p is
 * that of the last iteration. Where `statistics` is given, `weight` c_w t_k table_wk / p_w of the
 * last iteration is added to its row of each word. Returns the number of iterations. */
SKLVM_CLONES static int TOPIC(expect_topics)(const int32_t *words, const REAL *word_counts,
                                             ptrdiff_t n, const REAL *table, ptrdiff_t n_topics,
                                             const REAL *prior, int digamma, int max_iter,
                                             double tol, REAL weight, REAL *counts, REAL *shares,
                                             REAL *sums, REAL *p, REAL *statistics) {
    double length = 0;
    for (ptrdiff_t e = 0; e < n; e++) length += word_counts[e];
    for (int iteration = 1;; iteration++) {
        for (ptrdiff_t k = 0; k < n_topics; k++) {
            const REAL c = counts[k] + prior[k];
            shares[k] = digamma ? (c > 0 ? (REAL)exp_digamma(c) : 0) : c;
            sums[k] = 0;
        }
        for (ptrdiff_t e = 0; e < n; e++) {
            const REAL *row = table + words[e] * n_topics;
            p[e] = TOPIC(dot)(shares, row, n_topics);
            const REAL scale = p[e] > 0 ? word_counts[e] / p[e] : 0;
            SKLVM_INDEPENDENT
            for (ptrdiff_t k = 0; k < n_topics; k++) sums[k] += scale * row[k];
        }
        double change = 0;
        for (ptrdiff_t k = 0; k < n_topics; k++) {
            const REAL updated = shares[k] * sums[k];
            change += fabs((double)updated - counts[k]);
            counts[k] = updated;
        }
        if (iteration < max_iter && change > tol * length) continue;
        if (statistics != NULL)
            for (ptrdiff_t e = 0; e < n; e++) {
                const REAL *row = table + words[e] * n_topics;
                REAL *to = statistics + words[e] * n_topics;
                const REAL scale = p[e] > 0 ? weight * word_counts[e] / p[e] : 0;
                SKLVM_INDEPENDENT
                for (ptrdiff_t k = 0; k < n_topics; k++) to[k] += scale * shares[k] * row[k];
            }
        return iteration;
    }
}

/* One pass of collapsed variational Bayes of order zero over a document: for each word,
 *
 *     gamma_k ~ (N_k - gamma_k + prior_k) (M_wk - gamma_k + beta) / (T_k - gamma_k + beta V)
 *
 * (M the counts of words by topic, T their sums over words), after which N, M and T follow at once, M
 * and T by `weight` times the document's own.
 * p_w = E[theta_k phi_kw] without one token of the word itself. */
SKLVM_CLONES static void TOPIC(collapse_document)(const int32_t *words, const REAL *word_counts,
                                                  ptrdiff_t n, ptrdiff_t n_topics,
                                                  const REAL *prior, REAL prior_sum, REAL beta,
                                                  REAL beta_sum, REAL weight, REAL *gamma, REAL *counts,
                                                  REAL *table, REAL *totals, REAL *room, REAL *p) {
    /* A document of weight 2 is two documents, of which each word is only in one. */
    const REAL single = weight < 1 ? weight : 1;
    REAL length = 0;
    for (ptrdiff_t e = 0; e < n; e++) length += word_counts[e];
    for (ptrdiff_t e = 0; e < n; e++) {
        REAL *g = gamma + e * n_topics, *row = table + words[e] * n_topics;
        REAL sums[TOPIC_LANES] = {0};
        for (ptrdiff_t k = 0; k < n_topics; k += TOPIC_LANES)
            for (int lane = 0; lane < TOPIC_LANES; lane++) {
                const REAL own = g[k + lane];
                /* Differences that are zero but for rounding must not turn negative. */
                REAL a = counts[k + lane] - own, b = row[k + lane] - single * own;
                const REAL total = totals[k + lane] - single * own;
                a = (a > 0 ? a : 0) + prior[k + lane];
                b = (b > 0 ? b : 0) + beta;
                const REAL value = a * b / ((total > 0 ? total : 0) + beta_sum);
                room[k + lane] = value;
                sums[lane] += value;
            }
        const REAL sum = TOPIC(lane_sum)(sums), c = word_counts[e];
        p[e] = sum / (length - 1 + prior_sum);
        if (!(sum > 0)) continue;
        const REAL inverse = 1 / sum;
        SKLVM_INDEPENDENT
        for (ptrdiff_t k = 0; k < n_topics; k++) {
            const REAL value = room[k] * inverse, change = c * (value - g[k]);
            g[k] = value;
            counts[k] += change;
            row[k] += weight * change;
            totals[k] += weight * change;
        }
    }
}

/* Adds `weight` c_w gamma_wk of a document to the rows of its words. */
SKLVM_CLONES static void TOPIC(add_assignments)(const int32_t *words, const REAL *word_counts,
                                                ptrdiff_t n, ptrdiff_t n_topics,
                                                const REAL *gamma, REAL weight,
                                                REAL *statistics) {
    for (ptrdiff_t e = 0; e < n; e++) {
        const REAL *g = gamma + e * n_topics;
        const REAL c = weight * word_counts[e];
        REAL *to = statistics + words[e] * n_topics;
        SKLVM_INDEPENDENT
        for (ptrdiff_t k = 0; k < n_topics; k++) to[k] += c * g[k];
    }
}

/* Draws a topic by u in [0, 1), given the weights of all and their sums over the topics of each lane:
 * a lane first, and one of its topics then. Counting comparisons takes no branches, which random
 * numbers would mislead. */
SKLVM_INLINE ptrdiff_t TOPIC(choose)(const REAL *weights, const REAL *sums, ptrdiff_t n_topics,
                                     REAL u) {
    REAL until[TOPIC_LANES];
    until[0] = sums[0];
    for (int lane = 1; lane < TOPIC_LANES; lane++) until[lane] = until[lane - 1] + sums[lane];
    REAL left = u * until[TOPIC_LANES - 1];
    ptrdiff_t k = 0;
    for (int lane = 0; lane < TOPIC_LANES - 1; lane++) k += left >= until[lane];
    left -= k > 0 ? until[k - 1] : 0;
    REAL sum = 0;
    ptrdiff_t passed = 0;
    for (ptrdiff_t j = k; j < n_topics - TOPIC_LANES; j += TOPIC_LANES) {
        sum += weights[j];
        passed += left >= sum;
    }
    k += TOPIC_LANES * passed;
    if (weights[k] > 0) return k;
    /* By rounding alone; some topic has a weight. */
    for (k = n_topics - 1; k > 0 && !(weights[k] > 0); k--) continue;
    return k;
}

/* One sweep of collapsed Gibbs sampling over a document's tokens, each with its topic in `topics`:
 * the distribution is that of collapse_document with indicators for gamma. `scale` holds
 * 1 / (T_k + beta V), `length` is the number of tokens. p = E[theta_k phi_kw] of each token given all
 * others' topics. */
SKLVM_CLONES static void TOPIC(sample_document)(const int32_t *words, const int32_t *word_counts,
                                                ptrdiff_t n, ptrdiff_t n_topics,
                                                const REAL *prior, REAL prior_sum, REAL beta,
                                                double beta_sum, REAL length,
                                                const REAL *uniforms, int32_t *topics,
                                                REAL *counts, REAL *table, double *totals,
                                                REAL *scale, REAL *weights, REAL *p) {
    const REAL norm = 1 / (length - 1 + prior_sum);
    ptrdiff_t token = 0;
    for (ptrdiff_t e = 0; e < n; e++) {
        REAL *row = table + words[e] * n_topics;
        for (int32_t copy = 0; copy < word_counts[e]; copy++, token++) {
            ptrdiff_t k = topics[token];
            counts[k] -= 1;
            row[k] -= 1;
            totals[k] -= 1;
            scale[k] = (REAL)(1 / (totals[k] + beta_sum));
            REAL sums[TOPIC_LANES] = {0};
            for (ptrdiff_t j = 0; j < n_topics; j += TOPIC_LANES)
                for (int lane = 0; lane < TOPIC_LANES; lane++) {
                    const REAL value = (counts[j + lane] + prior[j + lane]) *
                                       (row[j + lane] + beta) * scale[j + lane];
                    weights[j + lane] = value;
                    sums[lane] += value;
                }
            k = TOPIC(choose)(weights, sums, n_topics, uniforms[token]);
            p[token] = norm * TOPIC(lane_sum)(sums);
            topics[token] = (int32_t)k;
            counts[k] += 1;
            row[k] += 1;
            totals[k] += 1;
            scale[k] = (REAL)(1 / (totals[k] + beta_sum));
        }
    }
}
