// A CUDA device as far as the kernels here use one, for compiling the same
// sources with an ordinary C++20 compiler: threads of a block are fibers on one
// thread of the host, and run until they wait for others.
//
// What real hardware would get wrong silently is an error here: a barrier or a
// collective of a warp that some threads don't reach, a block larger than the
// kernel's launch bounds, shared memory out of bounds (dynamic memory ends at a
// protected page, and both kinds begin as NaN), an asynchronous copy read before it was waited for
// (copies happen as late as the kernel allows). Orders of threads can be
// reversed, so that a forgotten barrier shows as a different result.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "watch.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__ __restrict
// What is thread-local in the library of the kernels is the static shared memory of the
// block that runs, and nothing else may be: emulation.cc fills it.
#define __shared__ static thread_local

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};
struct uint2 {
    unsigned x, y;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

extern dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulation {

// The kernel stops here, and its launch returns this message.
[[noreturn]] void fail(const char *format, ...);

// Lets other threads of the block run, until a barrier of so many threads is
// complete.
void barrier(int id, int threads);

// Lets other threads of the block run once.
void yield();

int lane();

// The number of the thread that runs, or -1 where none does.
int current_thread();

// Fails unless the block has so many threads.
void block_is_of(int threads);

// Dynamic shared memory of the block, and its size.
unsigned char *shared();
size_t shared_size();

// Exchange between the lanes of a warp: each puts its operand in its place and meets the
// others, the one that comes last calls combine once for all, and each finds its result in
// its place.
void *lane_place();
void meet(const char *name, void (*combine)(void *lanes, int live));
constexpr size_t exchange_stride = 256;

template <class T> T &lane_value(void *lanes, int lane) {
    return *reinterpret_cast<T *>(static_cast<unsigned char *>(lanes) + lane * exchange_stride);
}

template <class T> T collective(const T &operand, const char *name, void (*combine)(void *lanes, int live)) {
    static_assert(sizeof(T) <= exchange_stride && std::is_trivially_copyable_v<T>);
    void *place = lane_place();
    std::memcpy(place, &operand, sizeof operand);
    meet(name, combine);
    T result;
    std::memcpy(&result, place, sizeof result);
    return result;
}

// A pending asynchronous copy of this thread.
void copy_later(void *to, const void *from, int size, int filled);
void commit_copies();
void await_copies(int groups_left);

struct Entry {
    using Function = void (*)(void *const *arguments);
    Entry(const char *name, int most_threads, int parameters, Function call);
    const char *name;
    int most_threads, parameters;
    Function call;
    Entry *next;
};

template <class T> T argument(const void *at) {
    static_assert(sizeof(T) == 8, "the driver's launch takes arguments of eight bytes");
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

template <auto Kernel, class... A, size_t... I>
void call(void (*)(A...), void *const *arguments, std::index_sequence<I...>) {
    Kernel(argument<A>(arguments[I])...);
}

template <class... A> constexpr int count_parameters(void (*)(A...)) { return sizeof...(A); }

template <auto Kernel, class... A> Entry::Function caller(void (*)(A...)) {
    return [](void *const *arguments) { call<Kernel>(Kernel, arguments, std::index_sequence_for<A...>{}); };
}

constexpr int first_of(int threads, int = 1) { return threads; }

} // namespace emulation

#define KERNEL(bounds, name, ...)                                                                                      \
    extern "C" void name(__VA_ARGS__);                                                                                 \
    static const emulation::Entry name##_entry{#name, emulation::first_of bounds, emulation::count_parameters(name),   \
                                               emulation::caller<name>(name)};                                         \
    extern "C" void name(__VA_ARGS__)

#define DYNAMIC_SHARED(type, name) type *name = reinterpret_cast<type *>(emulation::shared())

inline void __syncthreads() { emulation::barrier(0, blockDim.x * blockDim.y * blockDim.z); }
inline void __threadfence() {}

inline void __syncwarp() {
    emulation::collective<int>(0, "__syncwarp", [](void *, int) {});
}

namespace emulation {
template <class T> struct Shuffle {
    T value;
    int from;
};
} // namespace emulation

template <class T> T shuffle_from(T value, int from, const char *name) {
    using S = emulation::Shuffle<T>;
    return emulation::collective<S>({value, from}, name,
                                    [](void *lanes, int live) {
                                        T values[32];
                                        for (int i = 0; i < live; i++)
                                            values[i] = emulation::lane_value<S>(lanes, i).value;
                                        for (int i = 0; i < live; i++) {
                                            S &s = emulation::lane_value<S>(lanes, i);
                                            if (s.from >= 0 && s.from < live) s.value = values[s.from];
                                        }
                                    })
        .value;
}

template <class T> T __shfl_sync(unsigned, T value, int from, int = 32) { return shuffle_from(value, from, "shfl"); }
template <class T> T __shfl_xor_sync(unsigned, T value, int mask, int = 32) {
    return shuffle_from(value, emulation::lane() ^ mask, "shfl.xor");
}
template <class T> T __shfl_down_sync(unsigned, T value, int by, int = 32) {
    return shuffle_from(value, emulation::lane() + by, "shfl.down");
}
template <class T> T __shfl_up_sync(unsigned, T value, int by, int = 32) {
    return shuffle_from(value, emulation::lane() - by, "shfl.up");
}
inline unsigned __ballot_sync(unsigned, int predicate) {
    return emulation::collective<unsigned>(predicate != 0, "ballot", [](void *lanes, int live) {
        unsigned all = 0;
        for (int i = 0; i < live; i++) all |= emulation::lane_value<unsigned>(lanes, i) << i;
        for (int i = 0; i < live; i++) emulation::lane_value<unsigned>(lanes, i) = all;
    });
}
// The lanes that have the same value as this one.
inline unsigned __match_any_sync(unsigned, unsigned value) {
    return emulation::collective<unsigned>(value, "match", [](void *lanes, int live) {
        unsigned values[32];
        for (int i = 0; i < live; i++) values[i] = emulation::lane_value<unsigned>(lanes, i);
        for (int i = 0; i < live; i++) {
            unsigned same = 0;
            for (int j = 0; j < live; j++) same |= unsigned(values[i] == values[j]) << j;
            emulation::lane_value<unsigned>(lanes, i) = same;
        }
    });
}

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(unsigned x) { return __builtin_ffs(int(x)); }

template <class T> T atomicAdd(T *at, T value) {
    const emulation::Unwatched atomic;
    T old = *at;
    *at += value;
    return old;
}
template <class T> T atomicMax(T *at, T value) {
    const emulation::Unwatched atomic;
    T old = *at;
    if (value > old) *at = value;
    return old;
}

inline unsigned __float_as_uint(float x) {
    unsigned bits;
    std::memcpy(&bits, &x, 4);
    return bits;
}
inline float __uint_as_float(unsigned bits) {
    float x;
    std::memcpy(&x, &bits, 4);
    return x;
}
inline long long __double_as_longlong(double x) {
    long long bits;
    std::memcpy(&bits, &x, 8);
    return bits;
}
inline double __longlong_as_double(long long bits) {
    double x;
    std::memcpy(&x, &bits, 8);
    return x;
}
inline float rsqrtf(float x) { return 1 / std::sqrt(x); }

template <class T> T min(T a, T b) { return b < a ? b : a; }
template <class T> T max(T a, T b) { return a < b ? b : a; }
