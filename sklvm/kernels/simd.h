/* What every hot loop needs from the compiler, with plain C where it has nothing better.
 *
 * SKLVM_CLONES marks a function that is compiled once for each instruction set and chosen when the
 * module is loaded. Its arithmetic is the same in every clone: the build forbids fused
 * multiply-adds, and no loop here calls the mathematical library (but for sqrt, which IEEE 754
 * rounds correctly), so that results are the same bits on every CPU.
 *
 * SKLVM_INLINE marks a helper that must be inlined into the clone that calls it: only there is it
 * compiled for that clone's instruction set.
 *
 * SKLVM_INDEPENDENT says that the iterations of the loop that follows do not depend on each other,
 * as the arrays are either the same or do not overlap; without it the compiler tests for aliasing
 * and runs the in-place case one element at a time.
 *
 * SKLVM_NOT_JAMMED, a statement in a loop around a vectorised one, keeps the compiler from merging
 * iterations of the outer loop, after which it would vectorise neither.
 */
#ifndef SKLVM_SIMD_H
#define SKLVM_SIMD_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__has_attribute)
#define SKLVM_HAS_ATTRIBUTE(name) __has_attribute(name)
#else
#define SKLVM_HAS_ATTRIBUTE(name) 0
#endif

/* Choosing among clones takes the GNU C library's indirect functions, which run before a sanitizer
 * is ready. */
#if defined(SKLVM_ONE_CLONE)
#define SKLVM_CLONES __attribute__((unused))
#elif defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && \
    SKLVM_HAS_ATTRIBUTE(target_clones)
#define SKLVM_CLONES __attribute__((unused, target_clones("avx512f", "avx2", "default")))
#elif defined(__GNUC__) || defined(__clang__)
#define SKLVM_CLONES __attribute__((unused))
#else
#define SKLVM_CLONES
#endif

#if defined(__GNUC__) || defined(__clang__)
#define SKLVM_INLINE static inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define SKLVM_INLINE static __forceinline
#else
#define SKLVM_INLINE static inline
#endif

#if defined(__clang__)
#define SKLVM_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define SKLVM_INDEPENDENT _Pragma("GCC ivdep")
#else
#define SKLVM_INDEPENDENT
#endif

#if defined(__GNUC__) && !defined(__clang__)
#define SKLVM_NOT_JAMMED __asm__ volatile("")
#else
#define SKLVM_NOT_JAMMED ((void)0)
#endif

SKLVM_INLINE uint32_t bits_of_f32(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

SKLVM_INLINE float f32_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

SKLVM_INLINE uint64_t bits_of_f64(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

SKLVM_INLINE double f64_of_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
