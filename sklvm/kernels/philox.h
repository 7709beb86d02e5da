/* Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011): ten rounds of multiplication and exclusive or turn a counter of four 32-bit words and a
 * key of two into four words that pass for independent and uniform.
 *
 * The arrays hold one word of many counters each, so that many counters run at once. Each round needs
 * both halves of 32 x 32 -> 64 bit products. x86 has just this instruction, for the even 32-bit lanes
 * of a vector, but compilers reach it only by way of many shuffles; hence the intrinsics. Read as
 * 64-bit lanes, a vector holds the even words in its low halves, and the odd ones after a shift; what
 * is in the high halves never matters.
 */
#ifndef SKLVM_PHILOX_H
#define SKLVM_PHILOX_H

#include <stddef.h>

#include "simd.h"

/* Callers give arrays of a multiple of this many counters. */
#define PHILOX_LANES 16

#define PHILOX_MULTIPLIER0 0xD2511F53u
#define PHILOX_MULTIPLIER1 0xCD9E8D57u
#define PHILOX_WEYL0 0x9E3779B9u
#define PHILOX_WEYL1 0xBB67AE85u

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>

#define PHILOX_ROUND(vector, bits, x0, x1, x2, x3)                                             \
    do {                                                                                       \
        const vector product0 = bits##_mul_epu32(x0, multiplier0);                             \
        const vector product1 = bits##_mul_epu32(x2, multiplier1);                             \
        x0 = bits##_srli_epi64(product1, 32) ^ x1 ^ key0;                                      \
        x2 = bits##_srli_epi64(product0, 32) ^ x3 ^ key1;                                      \
        x1 = product1;                                                                         \
        x3 = product0;                                                                         \
    } while (0)

#define DEFINE_PHILOX(name, isa, vector, bits, load, store, broadcast)                         \
    __attribute__((target(isa))) static void name(uint32_t *words[4], ptrdiff_t n,             \
                                                  uint64_t key) {                              \
        const ptrdiff_t lanes = sizeof(vector) / sizeof(uint32_t);                             \
        const vector low_half = broadcast((int64_t)0xffffffff);                                \
        const vector multiplier0 = broadcast((int64_t)PHILOX_MULTIPLIER0);                     \
        const vector multiplier1 = broadcast((int64_t)PHILOX_MULTIPLIER1);                     \
        for (ptrdiff_t i = 0; i < n; i += lanes) {                                             \
            vector *const w0 = (vector *)(words[0] + i), *const w1 = (vector *)(words[1] + i); \
            vector *const w2 = (vector *)(words[2] + i), *const w3 = (vector *)(words[3] + i); \
            vector even0 = load(w0), odd0 = bits##_srli_epi64(even0, 32);                      \
            vector even1 = load(w1), odd1 = bits##_srli_epi64(even1, 32);                      \
            vector even2 = load(w2), odd2 = bits##_srli_epi64(even2, 32);                      \
            vector even3 = load(w3), odd3 = bits##_srli_epi64(even3, 32);                      \
            for (uint32_t round = 0; round < 10; round++) {                                    \
                const vector key0 =                                                            \
                    broadcast((int64_t)((uint32_t)key + round * PHILOX_WEYL0));                \
                const vector key1 =                                                            \
                    broadcast((int64_t)((uint32_t)(key >> 32) + round * PHILOX_WEYL1));        \
                PHILOX_ROUND(vector, bits, even0, even1, even2, even3);                        \
                PHILOX_ROUND(vector, bits, odd0, odd1, odd2, odd3);                            \
            }                                                                                  \
            store(w0, (even0 & low_half) | bits##_slli_epi64(odd0, 32));                       \
            store(w1, (even1 & low_half) | bits##_slli_epi64(odd1, 32));                       \
            store(w2, (even2 & low_half) | bits##_slli_epi64(odd2, 32));                       \
            store(w3, (even3 & low_half) | bits##_slli_epi64(odd3, 32));                       \
        }                                                                                      \
    }

DEFINE_PHILOX(philox_avx512, "avx512f", __m512i, _mm512, _mm512_loadu_si512, _mm512_storeu_si512,
              _mm512_set1_epi64)
DEFINE_PHILOX(philox_avx2, "avx2", __m256i, _mm256, _mm256_loadu_si256, _mm256_storeu_si256,
              _mm256_set1_epi64x)
DEFINE_PHILOX(philox_sse2, "sse2", __m128i, _mm, _mm_loadu_si128, _mm_storeu_si128,
              _mm_set1_epi64x)

/* In place: words[w][i] is word w of counter i, and of its random block afterwards. */
static inline void philox_block(uint32_t *words[4], ptrdiff_t n, uint64_t key) {
    if (__builtin_cpu_supports("avx512f"))
        philox_avx512(words, n, key);
    else if (__builtin_cpu_supports("avx2"))
        philox_avx2(words, n, key);
    else
        philox_sse2(words, n, key);
}

#else

static inline void philox_block(uint32_t *words[4], ptrdiff_t n, uint64_t key) {
    uint32_t *w0 = words[0], *w1 = words[1], *w2 = words[2], *w3 = words[3];
    SKLVM_INDEPENDENT
    for (ptrdiff_t i = 0; i < n; i++) {
        uint32_t x0 = w0[i], x1 = w1[i], x2 = w2[i], x3 = w3[i];
        uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
        for (int round = 0; round < 10; round++) {
            const uint64_t product0 = (uint64_t)PHILOX_MULTIPLIER0 * x0;
            const uint64_t product1 = (uint64_t)PHILOX_MULTIPLIER1 * x2;
            x0 = (uint32_t)(product1 >> 32) ^ x1 ^ key0;
            x2 = (uint32_t)(product0 >> 32) ^ x3 ^ key1;
            x1 = (uint32_t)product1;
            x3 = (uint32_t)product0;
            key0 += PHILOX_WEYL0;
            key1 += PHILOX_WEYL1;
        }
        w0[i] = x0;
        w1[i] = x1;
        w2[i] = x2;
        w3[i] = x3;
    }
}

#endif
#endif
