/* Sites of a pairwise energy, one after the other, given their neighbours:
 *     E(z) = sum_s u_s(z_s) + sum_{s~t} w_st T_st(z_s, z_t).
 *
 * Sites come as lists of those of one colour: none of them has a neighbour in the list, so that
 * their order, and the threads they are shared among, do not matter. Slots are the neighbours of a
 * site, starts[s] to starts[s + 1]; the matrix of a slot has a row for each label of the neighbour:
 * M[z_t * L + z_s].
 *
 * `dirty` marks the sites for which something around them has changed since they were last visited;
 * only those are visited. Changes of at most `tol` are not made at all, so that what is left in the
 * end is a residual of at most `tol` everywhere.
 */
#ifndef SKLVM_PAIRWISE_H
#define SKLVM_PAIRWISE_H

#include <stddef.h>

#include "logistic.h"

#define PAIRWISE_MAX_LABELS 256

typedef struct {
    ptrdiff_t n_labels;
    const double *unary;     /* n x L */
    const int64_t *starts;   /* n + 1 */
    const int32_t *neighbours;
    const int32_t *matrices; /* which of `tables` */
    const double *weights;
    const double *tables;    /* each L x L */
} pairwise_model;

SKLVM_INLINE void mark_neighbours(const pairwise_model *g, ptrdiff_t s, uint8_t *dirty) {
    for (int64_t k = g->starts[s]; k < g->starts[s + 1]; k++) dirty[g->neighbours[k]] = 1;
}

/* Energies of the labels of site s, given its neighbours' labels. */
SKLVM_INLINE void energies_given_labels(const pairwise_model *g, const ptrdiff_t L, ptrdiff_t s,
                                        const int32_t *labels, double *energies) {
    for (ptrdiff_t z = 0; z < L; z++) energies[z] = g->unary[s * L + z];
    for (int64_t k = g->starts[s]; k < g->starts[s + 1]; k++) {
        const double *const row = g->tables + (g->matrices[k] * L + labels[g->neighbours[k]]) * L;
        const double weight = g->weights[k];
        for (ptrdiff_t z = 0; z < L; z++) energies[z] += weight * row[z];
    }
}

/* p(z) = exp(-beta (energies(z) - lowest)), not normalised; their sum. */
SKLVM_INLINE double boltzmann_factors(const double *energies, ptrdiff_t L, double beta, double *p) {
    double lowest = energies[0], sum = 0.0;
    for (ptrdiff_t z = 1; z < L; z++) lowest = energies[z] < lowest ? energies[z] : lowest;
    for (ptrdiff_t z = 0; z < L; z++) p[z] = exp_nonpositive_f64(beta * (lowest - energies[z]));
    for (ptrdiff_t z = 0; z < L; z++) sum += p[z];
    return sum;
}

/* Each site's label to the one of least energy; how many have changed. */
SKLVM_INLINE int64_t icm_sites_of(const ptrdiff_t L, const pairwise_model *g, const int32_t *sites,
                                  ptrdiff_t n, int32_t *labels, uint8_t *dirty) {
    double energies[PAIRWISE_MAX_LABELS];
    int64_t n_changes = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const ptrdiff_t s = sites[i];
        if (!dirty[s]) continue;
        dirty[s] = 0;
        energies_given_labels(g, L, s, labels, energies);
        int32_t best = labels[s];
        for (int32_t z = 0; z < L; z++)
            if (energies[z] < energies[best]) best = z;
        if (best == labels[s]) continue;
        labels[s] = best;
        n_changes++;
        mark_neighbours(g, s, dirty);
    }
    return n_changes;
}

SKLVM_CLONES static int64_t icm_sites(const pairwise_model *g, const int32_t *sites, ptrdiff_t n,
                                      int32_t *labels, uint8_t *dirty) {
    if (g->n_labels == 2)
        return icm_sites_of(2, g, sites, n, labels, dirty);
    else
        return icm_sites_of(g->n_labels, g, sites, n, labels, dirty);
}

/* Draws each site's label given its neighbours', at the inverse temperature beta; adds what it was
 * drawn with to `sums` (n x L) unless that is NULL. One uniform number a site; sites that are 0 in
 * `free_sites`, if that is not NULL, keep their label. */
SKLVM_INLINE void gibbs_sites_of(const ptrdiff_t L, const pairwise_model *g, const int32_t *sites,
                                 ptrdiff_t n, double beta, const double *uniforms,
                                 const uint8_t *free_sites, int32_t *labels, double *sums) {
    double energies[PAIRWISE_MAX_LABELS], p[PAIRWISE_MAX_LABELS];
    for (ptrdiff_t i = 0; i < n; i++) {
        const ptrdiff_t s = sites[i];
        if (free_sites != NULL && !free_sites[s]) continue;
        energies_given_labels(g, L, s, labels, energies);
        const double sum = boltzmann_factors(energies, L, beta, p);
        const double threshold = uniforms[s] * sum;
        double cumulated = 0.0;
        int32_t label = 0;
        for (ptrdiff_t z = 0; z < L - 1; z++) {
            cumulated += p[z];
            label += threshold >= cumulated;
        }
        labels[s] = label;
        if (sums != NULL)
            for (ptrdiff_t z = 0; z < L; z++) sums[s * L + z] += p[z] / sum;
    }
}

SKLVM_CLONES static void gibbs_sites(const pairwise_model *g, const int32_t *sites, ptrdiff_t n,
                                     double beta, const double *uniforms,
                                     const uint8_t *free_sites, int32_t *labels, double *sums) {
    if (g->n_labels == 2)
        gibbs_sites_of(2, g, sites, n, beta, uniforms, free_sites, labels, sums);
    else
        gibbs_sites_of(g->n_labels, g, sites, n, beta, uniforms, free_sites, labels, sums);
}

/* q_s(z) = softmax(-u_s - sum_t w_st T_st q_t); how many have changed. */
SKLVM_INLINE int64_t mean_field_sites_of(const ptrdiff_t L, const pairwise_model *g,
                                         const int32_t *sites, ptrdiff_t n, double tol, double *q,
                                         uint8_t *dirty) {
    double energies[PAIRWISE_MAX_LABELS], p[PAIRWISE_MAX_LABELS];
    int64_t n_changes = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const ptrdiff_t s = sites[i];
        if (!dirty[s]) continue;
        dirty[s] = 0;
        for (ptrdiff_t z = 0; z < L; z++) energies[z] = g->unary[s * L + z];
        for (int64_t k = g->starts[s]; k < g->starts[s + 1]; k++) {
            const double *const matrix = g->tables + g->matrices[k] * L * L;
            const double *const q_t = q + g->neighbours[k] * L;
            for (ptrdiff_t y = 0; y < L; y++) {
                const double weight = g->weights[k] * q_t[y];
                for (ptrdiff_t z = 0; z < L; z++) energies[z] += weight * matrix[y * L + z];
            }
        }
        const double inverse = 1.0 / boltzmann_factors(energies, L, 1.0, p);
        double change = 0.0;
        for (ptrdiff_t z = 0; z < L; z++) {
            p[z] *= inverse;
            const double difference = fabs(p[z] - q[s * L + z]);
            change = difference > change ? difference : change;
        }
        if (!(change > tol)) continue;
        for (ptrdiff_t z = 0; z < L; z++) q[s * L + z] = p[z];
        n_changes++;
        mark_neighbours(g, s, dirty);
    }
    return n_changes;
}

SKLVM_CLONES static int64_t mean_field_sites(const pairwise_model *g, const int32_t *sites,
                                             ptrdiff_t n, double tol, double *q, uint8_t *dirty) {
    if (g->n_labels == 2)
        return mean_field_sites_of(2, g, sites, n, tol, q, dirty);
    else
        return mean_field_sites_of(g->n_labels, g, sites, n, tol, q, dirty);
}

/* Sums of logarithms of messages that come in, weighted by the slots' rho, minus the unary energy. */
SKLVM_INLINE void log_belief(const pairwise_model *g, const ptrdiff_t L, const double *rho,
                             const double *messages, ptrdiff_t s, double *belief) {
    for (ptrdiff_t z = 0; z < L; z++) belief[z] = -g->unary[s * L + z];
    for (int64_t k = g->starts[s]; k < g->starts[s + 1]; k++)
        for (ptrdiff_t z = 0; z < L; z++) belief[z] += rho[k] * messages[k * L + z];
}

/* Messages from each site to its neighbours. `messages` (slots x L) holds the logarithms of those
 * that come in, the highest of each being 0; the one that leaves by slot k arrives at reverse[k].
 *     m(z_t) = log sum_{z_s} exp(b(z_s) - m_k(z_s)) F(z_t, z_s),   F = exp(-w T / rho),
 * `g->tables` holding F, whose highest entry is 1 and whose lowest is positive; or, with `factors`
 * NULL, the maximum instead of the log of the sum, `g->tables` holding -T and slots -w / rho.
 * How many sites have sent something new. */
SKLVM_INLINE int64_t belief_sites_of(const ptrdiff_t L, const pairwise_model *g,
                                     const int32_t *sites, ptrdiff_t n, const double *rho,
                                     const int32_t *reverse, const double *factors,
                                     const int32_t *factor_of, double damping, double tol,
                                     double *messages, uint8_t *dirty) {
    double belief[PAIRWISE_MAX_LABELS], cavity[PAIRWISE_MAX_LABELS], sent[PAIRWISE_MAX_LABELS];
    int64_t n_changes = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const ptrdiff_t s = sites[i];
        if (!dirty[s]) continue;
        dirty[s] = 0;
        int is_changed = 0;
        log_belief(g, L, rho, messages, s, belief);
        for (int64_t k = g->starts[s]; k < g->starts[s + 1]; k++) {
            const ptrdiff_t t = g->neighbours[k];
            double *const received = messages + (ptrdiff_t)reverse[k] * L;
            double highest = belief[0] - messages[k * L];
            for (ptrdiff_t z = 0; z < L; z++) {
                cavity[z] = belief[z] - messages[k * L + z];
                highest = cavity[z] > highest ? cavity[z] : highest;
            }
            if (factors != NULL) {
                const double *const matrix = factors + (ptrdiff_t)factor_of[k] * L * L;
                for (ptrdiff_t y = 0; y < L; y++) sent[y] = 0.0;
                for (ptrdiff_t z = 0; z < L; z++) {
                    const double p = exp_nonpositive_f64(cavity[z] - highest);
                    for (ptrdiff_t y = 0; y < L; y++) sent[y] += p * matrix[z * L + y];
                }
                for (ptrdiff_t y = 0; y < L; y++) sent[y] = log_positive_f64(sent[y]);
            } else {
                const double *const matrix = g->tables + (ptrdiff_t)(g->matrices[k] ^ 1) * L * L;
                const double weight = g->weights[k] / rho[k];
                for (ptrdiff_t y = 0; y < L; y++) sent[y] = cavity[0] - weight * matrix[y];
                for (ptrdiff_t z = 1; z < L; z++)
                    for (ptrdiff_t y = 0; y < L; y++) {
                        const double candidate = cavity[z] - weight * matrix[z * L + y];
                        sent[y] = candidate > sent[y] ? candidate : sent[y];
                    }
            }
            double top = sent[0], change = 0.0;
            for (ptrdiff_t y = 1; y < L; y++) top = sent[y] > top ? sent[y] : top;
            for (ptrdiff_t y = 0; y < L; y++) {
                sent[y] = (1.0 - damping) * (sent[y] - top) + damping * received[y];
                const double difference = fabs(sent[y] - received[y]);
                change = difference > change ? difference : change;
            }
            if (!(change > tol * (1.0 - damping))) continue;
            for (ptrdiff_t y = 0; y < L; y++) received[y] = sent[y];
            dirty[t] = 1;
            is_changed = 1;
        }
        /* With damping the message is not yet what it would be: the site sends again. */
        if (is_changed && damping > 0.0) dirty[s] = 1;
        n_changes += is_changed;
    }
    return n_changes;
}

/* The same for two labels and sums, in the differences r = log m(1) - log m(0): with d = b - r_k,
 *     r(t) = log((F01 + F11 e^d) / (F00 + F10 e^d)).
 * Messages wait in a buffer, so that exponentials and logarithms are taken many at a time. */
#define BELIEF_BUFFER 1024

typedef struct {
    ptrdiff_t n;
    double d[BELIEF_BUFFER];
    int64_t slots[BELIEF_BUFFER];
    double f00[BELIEF_BUFFER], f01[BELIEF_BUFFER], f10[BELIEF_BUFFER], f11[BELIEF_BUFFER];
} belief_buffer;

SKLVM_INLINE void send_binary(const pairwise_model *g, const int32_t *reverse, double damping,
                              double tol, belief_buffer *out, double *messages, uint8_t *dirty,
                              const int32_t *owners, int64_t *n_changes) {
    double *const d = out->d;
    SKLVM_INDEPENDENT
    for (ptrdiff_t i = 0; i < out->n; i++) {
        const double e = exp_nonpositive_f64(-fabs(d[i]));
        const double p0 = d[i] > 0.0 ? e : 1.0, p1 = d[i] > 0.0 ? 1.0 : e;
        d[i] = (p0 * out->f01[i] + p1 * out->f11[i]) / (p0 * out->f00[i] + p1 * out->f10[i]);
    }
    SKLVM_INDEPENDENT
    for (ptrdiff_t i = 0; i < out->n; i++) d[i] = log_positive_f64(d[i]);
    for (ptrdiff_t i = 0; i < out->n; i++) {
        const int64_t k = out->slots[i];
        double *const received = messages + 2 * (ptrdiff_t)reverse[k];
        double sent0 = d[i] > 0.0 ? -d[i] : 0.0, sent1 = d[i] > 0.0 ? 0.0 : d[i];
        sent0 = (1.0 - damping) * sent0 + damping * received[0];
        sent1 = (1.0 - damping) * sent1 + damping * received[1];
        const double change0 = fabs(sent0 - received[0]), change1 = fabs(sent1 - received[1]);
        if (!((change0 > change1 ? change0 : change1) > tol * (1.0 - damping))) continue;
        received[0] = sent0;
        received[1] = sent1;
        dirty[g->neighbours[k]] = 1;
        if (damping > 0.0) dirty[owners[i]] = 1;
        ++*n_changes;
    }
    out->n = 0;
}

SKLVM_INLINE int64_t binary_belief_sites(const pairwise_model *g, const int32_t *sites, ptrdiff_t n,
                                         const double *rho, const int32_t *reverse,
                                         const double *factors, const int32_t *factor_of,
                                         double damping, double tol, double *messages,
                                         uint8_t *dirty) {
    belief_buffer out;
    int32_t owners[BELIEF_BUFFER];
    int64_t n_changes = 0;
    out.n = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const ptrdiff_t s = sites[i];
        if (!dirty[s]) continue;
        dirty[s] = 0;
        double b = g->unary[2 * s] - g->unary[2 * s + 1];
        for (int64_t k = g->starts[s]; k < g->starts[s + 1]; k++)
            b += rho[k] * (messages[2 * k + 1] - messages[2 * k]);
        for (int64_t k = g->starts[s]; k < g->starts[s + 1]; k++) {
            const double *const F = factors + 4 * (ptrdiff_t)factor_of[k];
            const ptrdiff_t at = out.n++;
            out.d[at] = b - (messages[2 * k + 1] - messages[2 * k]);
            out.slots[at] = k;
            owners[at] = (int32_t)s;
            out.f00[at] = F[0];
            out.f01[at] = F[1];
            out.f10[at] = F[2];
            out.f11[at] = F[3];
            /* Nothing that is sent here comes in at a site of this colour. */
            if (out.n == BELIEF_BUFFER)
                send_binary(g, reverse, damping, tol, &out, messages, dirty, owners, &n_changes);
        }
    }
    send_binary(g, reverse, damping, tol, &out, messages, dirty, owners, &n_changes);
    return n_changes;
}

SKLVM_CLONES static int64_t belief_sites(const pairwise_model *g, const int32_t *sites, ptrdiff_t n,
                                         const double *rho, const int32_t *reverse,
                                         const double *factors, const int32_t *factor_of,
                                         double damping, double tol, double *messages,
                                         uint8_t *dirty) {
    if (g->n_labels == 2 && factors != NULL)
        return binary_belief_sites(g, sites, n, rho, reverse, factors, factor_of, damping, tol,
                                   messages, dirty);
    if (g->n_labels == 2)
        return belief_sites_of(2, g, sites, n, rho, reverse, factors, factor_of, damping, tol,
                               messages, dirty);
    return belief_sites_of(g->n_labels, g, sites, n, rho, reverse, factors, factor_of, damping, tol,
                           messages, dirty);
}

/* Colours of all sites, each the lowest that no neighbour with a lower number has. */
static void greedy_colours(const int64_t *starts, const int32_t *neighbours, ptrdiff_t n,
                           int64_t *last_used, int32_t *colours) {
    for (ptrdiff_t s = 0; s < n; s++) {
        for (int64_t k = starts[s]; k < starts[s + 1]; k++)
            if (neighbours[k] < s) last_used[colours[neighbours[k]]] = s + 1;
        int32_t colour = 0;
        while (last_used[colour] == s + 1) colour++;
        colours[s] = colour;
    }
}

#endif
