/* The probability of a document's words under given topics, word by word from left to right, in double
 * precision: a particle filter with moves (Gilks and Berzuini, JRSS B 63, 2001) for the left-to-right
 * algorithm of Wallach, Murray, Salakhutdinov and Mimno (ICML 2009).
 *
 * Before word i, each of R particles of weights v_r has topics z_j for the words j < i. Gibbs sampling
 * moves `n_moved` of them, or all if they are fewer, taking turns. Then
 *
 *     p(w_i | w_<i) ~ sum_r v_r q_r,     q_r = sum_k table_{w_i, k} (N_k + prior_k) / (i + prior_sum),
 *
 * N being the counts of the particle's z_<i, every particle draws its z_i, and v_r becomes
 * proportional to v_r q_r. Where 1 / sum_r v_r^2 falls below R / 2, particles are drawn anew, by
 * systematic resampling. The product of the estimates has the expectation p(w). Without the weights,
 * as in the original algorithm, it is biased for any number of particles.
 *
 * A word may be a fraction of one, and then counts by that. The c-th draw takes the c-th number of
 * the seed's stream, whatever the document is.
 */
#ifndef SKLVM_LEFT_TO_RIGHT_H
#define SKLVM_LEFT_TO_RIGHT_H

#include "topic_passes.h"
#include "uniform.h"

#define STREAM_NUMBERS (4 * PHILOX_LANES)

/* A sequence of uniform numbers, of which STREAM_NUMBERS are made at a time. */
typedef struct {
    uint64_t seed;
    uint64_t group; /* the counter of the numbers that are made next */
    int next;
    double numbers[STREAM_NUMBERS];
} uniform_stream;

static void refill(uniform_stream *s) {
    uint32_t high[4][PHILOX_LANES], low[4][PHILOX_LANES];
    uint32_t *high_rows[4] = {high[0], high[1], high[2], high[3]};
    uint32_t *low_rows[4] = {low[0], low[1], low[2], low[3]};
    for (int lane = 0; lane < PHILOX_LANES; lane++) {
        const uint64_t group = s->group + (uint64_t)lane;
        high[0][lane] = (uint32_t)(group & 0x7fffffffu);
        low[0][lane] = 0x80000000u | high[0][lane];
        high[1][lane] = low[1][lane] = (uint32_t)(group >> 31);
        high[2][lane] = low[2][lane] = high[3][lane] = low[3][lane] = 0;
    }
    philox_block(high_rows, PHILOX_LANES, s->seed);
    philox_block(low_rows, PHILOX_LANES, s->seed);
    for (int lane = 0; lane < PHILOX_LANES; lane++)
        for (int word = 0; word < 4; word++)
            s->numbers[4 * lane + word] = uniform_f64(high[word][lane], low[word][lane]);
    s->group += PHILOX_LANES;
    s->next = 0;
}

static inline double next_uniform(uniform_stream *s) {
    if (s->next == STREAM_NUMBERS) refill(s);
    return s->numbers[s->next++];
}

/* Draws a topic of `word` given the counts N of the other words' topics; returns the sum of the
 * weights table_k (N_k + prior_k). */
SKLVM_INLINE double draw_topic(const double *N, const double *prior, const double *row,
                               ptrdiff_t n_topics, double *weights, uniform_stream *s,
                               int32_t *topic) {
    double sums[TOPIC_LANES] = {0};
    for (ptrdiff_t k = 0; k < n_topics; k += TOPIC_LANES)
        for (int lane = 0; lane < TOPIC_LANES; lane++) {
            weights[k + lane] = (N[k + lane] + prior[k + lane]) * row[k + lane];
            sums[lane] += weights[k + lane];
        }
    *topic = (int32_t)choose_f64(weights, sums, n_topics, next_uniform(s));
    return lane_sum_f64(sums);
}

/* Particles in numbers that are proportional to their weights, which are even afterwards. A particle
 * that is left out becomes a copy of one that is there more than once. */
static void resample(ptrdiff_t n_particles, ptrdiff_t n_topics, ptrdiff_t n, ptrdiff_t size,
                     double *v, double *counts, int32_t *topics, int32_t *copies, double u) {
    double sum = 0;
    ptrdiff_t until = 0, spare = 0;
    for (ptrdiff_t r = 0; r < n_particles; r++) {
        sum += v[r] * (double)n_particles;
        copies[r] = 0;
        while (until < n_particles && (double)until + u < sum) {
            copies[r]++;
            until++;
        }
    }
    copies[n_particles - 1] += (int32_t)(n_particles - until); /* by rounding alone */
    for (ptrdiff_t r = 0; r < n_particles; r++) {
        v[r] = 1 / (double)n_particles;
        if (copies[r] > 0) continue;
        while (copies[spare] < 2) spare++;
        memcpy(counts + r * n_topics, counts + spare * n_topics,
               (size_t)n_topics * sizeof *counts);
        memcpy(topics + r * n, topics + spare * n, (size_t)size * sizeof *topics);
        copies[spare]--;
        copies[r] = 1;
    }
}

/* The estimates of p(w_i | w_<i) for the document's n words, to `p`. Room: `topics` n_particles * (n +
 * 1), `room` n_particles * (n_topics + 1) + n_topics. */
SKLVM_CLONES static void left_to_right(const int32_t *words, const double *fractions,
                                       ptrdiff_t n, const double *table, ptrdiff_t n_topics,
                                       const double *prior, double prior_sum,
                                       ptrdiff_t n_particles, ptrdiff_t n_moved, uint64_t seed,
                                       double *p, int32_t *topics, double *room,
                                       uniform_stream *stream) {
    double *v = room, *weights = room + n_particles, *counts = weights + n_topics;
    int32_t *copies = topics + n_particles * n;
    ptrdiff_t turn = 0;
    double before = 0;
    stream->seed = seed;
    stream->group = 0;
    stream->next = STREAM_NUMBERS;
    memset(counts, 0, (size_t)(n_particles * n_topics) * sizeof *counts);
    for (ptrdiff_t r = 0; r < n_particles; r++) v[r] = 1 / (double)n_particles;
    for (ptrdiff_t i = 0; i < n; i++) {
        const ptrdiff_t moved = i < n_moved ? i : n_moved;
        double mean = 0, sum = 0, squares = 0;
        for (ptrdiff_t r = 0; r < n_particles; r++) {
            double *N = counts + r * n_topics;
            int32_t *z = topics + r * n;
            for (ptrdiff_t m = 0; m < moved; m++) {
                const ptrdiff_t j = (turn + m) % i;
                N[z[j]] -= fractions[j];
                draw_topic(N, prior, table + words[j] * n_topics, n_topics, weights, stream,
                           z + j);
                N[z[j]] += fractions[j];
            }
            const double q = draw_topic(N, prior, table + words[i] * n_topics, n_topics, weights,
                                        stream, z + i) / (before + prior_sum);
            N[z[i]] += fractions[i];
            mean += v[r] * q;
            v[r] *= q;
            sum += v[r];
            squares += v[r] * v[r];
        }
        turn += moved;
        before += fractions[i];
        p[i] = mean;
        if (!(sum > 0)) {
            for (ptrdiff_t j = i + 1; j < n; j++) p[j] = 0;
            return;
        }
        for (ptrdiff_t r = 0; r < n_particles; r++) v[r] /= sum;
        if (sum * sum < 0.5 * (double)n_particles * squares)
            resample(n_particles, n_topics, n, i + 1, v, counts, topics, copies,
                     next_uniform(stream));
    }
}

#endif
