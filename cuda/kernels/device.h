// What the kernels are written in: CUDA C++, the element types of maps, and one
// function for each instruction that C++ has no word for. Two bodies for each:
// what the hardware runs, and plain loops where the kernels are compiled for the
// host. Nothing else differs between the two.
#pragma once

#ifdef __CUDACC__

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <type_traits>

// KERNEL((threads[, blocks]), name, parameters…) begins an entry point with its
// launch bounds. Every parameter is eight bytes wide.
#define KERNEL(bounds, name, ...) extern "C" __global__ void __launch_bounds__ bounds name(__VA_ARGS__)

// Dynamic shared memory, aligned to 128 bytes.
#define DYNAMIC_SHARED(type, name)                                                                                     \
    extern __shared__ __align__(128) unsigned char dynamic_shared[];                                                   \
    type *name = reinterpret_cast<type *>(dynamic_shared)

#else
#include "host/emulation.h"
#endif

using Int = long long;

#ifdef __CUDACC__
using f16 = __half;
using bf16 = __nv_bfloat16;

__device__ __forceinline__ float to_float(f16 x) { return __half2float(x); }
__device__ __forceinline__ float to_float(bf16 x) { return __bfloat162float(x); }
template <class T> __device__ T from_float(float x);
template <> __device__ __forceinline__ f16 from_float<f16>(float x) { return __float2half_rn(x); }
template <> __device__ __forceinline__ bf16 from_float<bf16>(float x) { return __float2bfloat16_rn(x); }
#else
#include "host/halves.h"
#include "host/matrices.h"
#endif

__device__ __forceinline__ float to_float(float x) { return x; }
template <> __device__ __forceinline__ float from_float<float>(float x) { return x; }

constexpr int warp_size = 32;
constexpr unsigned all_lanes = 0xffffffffu;

template <class T> __device__ __forceinline__ T warp_sum(T value) {
    for (int by = warp_size / 2; by > 0; by /= 2) value += __shfl_xor_sync(all_lanes, value, by);
    return value;
}

// For what is made for blocks of so many threads: the emulation refuses others.
__device__ __forceinline__ void block_is_of(int threads) {
#ifdef __CUDACC__
    (void)threads;
#else
    emulation::block_is_of(threads);
#endif
}

// The sum of a value of each thread of a block of so many threads, to all of them.
// The order of summation is fixed.
template <int threads, class T> __device__ T block_sum(T value) {
    constexpr int warps = threads / warp_size;
    __shared__ T sums[warps];
    block_is_of(threads);
    value = warp_sum(value);
    __syncthreads();
    if (threadIdx.x % warp_size == 0) sums[threadIdx.x / warp_size] = value;
    __syncthreads();
    T total = sums[0];
    for (int i = 1; i < warps; i++) total += sums[i];
    return total;
}

// The greatest of a value of each thread of a block of so many threads, to all of them; none is
// below zero.
template <int threads> __device__ double block_greatest(double value) {
    constexpr int warps = threads / warp_size;
    __shared__ double greatest[warps];
    block_is_of(threads);
    for (int by = warp_size / 2; by > 0; by /= 2) value = max(value, __shfl_xor_sync(all_lanes, value, by));
    __syncthreads();
    if (threadIdx.x % warp_size == 0) greatest[threadIdx.x / warp_size] = value;
    __syncthreads();
    for (double other : greatest) value = max(value, other);
    return value;
}

// The first index of this thread, and its step, where all threads of a grid share n
// elements.
__device__ __forceinline__ Int first_index() { return Int(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ __forceinline__ Int index_step() { return Int(gridDim.x) * blockDim.x; }

// sixteen bytes of elements, the widest load there is.
template <class T> struct alignas(16) Wide {
    static constexpr int count = 16 / sizeof(T);
    T at[count];
};
template <class T> __device__ __forceinline__ Wide<T> load_wide(const T *p) {
    return *reinterpret_cast<const Wide<T> *>(p);
}
__device__ __forceinline__ bool starts_wide(const void *p) { return reinterpret_cast<unsigned long long>(p) % 16 == 0; }

// Stores sixteen bytes to device memory: by an instruction of its own, since the compiler may
// take a store apart that it sees to be of smaller elements.
template <class T> __device__ __forceinline__ void store_wide(T *p, const Wide<T> &w) {
#ifdef __CUDACC__
    uint4 words;
    memcpy(&words, &w, sizeof words);
    asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(p)), "r"(words.x),
                 "r"(words.y), "r"(words.z), "r"(words.w)
                 : "memory");
#else
    *reinterpret_cast<Wide<T> *>(p) = w;
#endif
}

// Loads and stores of width neighbouring elements in device memory: one, or what is wide, once
// or several times, which lies on 16 bytes then on either side.
template <int width, class T> __device__ __forceinline__ void load_some(T (&to)[width], const T *from) {
    static_assert(width == 1 || width % Wide<T>::count == 0);
    if constexpr (width == 1) {
        to[0] = *from;
    } else {
#pragma unroll
        for (int i = 0; i < width; i += Wide<T>::count) *reinterpret_cast<Wide<T> *>(to + i) = load_wide(from + i);
    }
}
template <int width, class T> __device__ __forceinline__ void store_some(T *to, const T (&from)[width]) {
    static_assert(width == 1 || width % Wide<T>::count == 0);
    if constexpr (width == 1) {
        *to = from[0];
    } else {
#pragma unroll
        for (int i = 0; i < width; i += Wide<T>::count) store_wide(to + i, load_wide(from + i));
    }
}

// Element number i of those that lie in words.
template <class T> __device__ __forceinline__ float element_of(const unsigned *words, int i) {
    if constexpr (sizeof(T) == 4) {
        return __uint_as_float(words[i]);
    } else {
        const auto bits = static_cast<unsigned short>(words[i / 2] >> 16 * (i % 2));
        T value;
        memcpy(&value, &bits, sizeof value);
        return to_float(value);
    }
}

// Has the second-level cache fetch the line that an element lies in.
__device__ __forceinline__ void prefetch(const void *global) {
#ifdef __CUDACC__
    asm volatile("prefetch.global.L2 [%0];" ::"l"(__cvta_generic_to_global(global)));
#else
    emulation::touch(global);
#endif
}

// Begins a copy of 16 bytes from global to shared memory, zeros where not valid.
__device__ __forceinline__ void copy_async(void *shared, const void *global, bool valid) {
#ifdef __CUDACC__
    unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global), "r"(bytes) : "memory");
#else
    emulation::copy_later(shared, global, 16, valid ? 16 : 0);
#endif
}

// Ends a group of this thread's copies.
__device__ __forceinline__ void copy_commit() {
#ifdef __CUDACC__
    asm volatile("cp.async.commit_group;" ::: "memory");
#else
    emulation::commit_copies();
#endif
}

// Waits until all but the latest groups of this thread's copies are there.
template <int groups> __device__ __forceinline__ void copy_wait() {
#ifdef __CUDACC__
    asm volatile("cp.async.wait_group %0;" ::"n"(groups) : "memory");
#else
    emulation::await_copies(groups);
#endif
}

// Loads four 8×8 matrices of two-byte elements (8×4 of four bytes) from shared
// memory, whose rows of 16 bytes the lanes 8i … 8i+7 point to: to[i] is row lane/4,
// word lane%4 of matrix i.
__device__ __forceinline__ void load_matrices(unsigned (&to)[4], const void *row) {
#ifdef __CUDACC__
    unsigned from = static_cast<unsigned>(__cvta_generic_to_shared(row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(from)
                 : "memory");
#else
    emulation::load_matrices(to, row, false);
#endif
}

// The same of two-byte elements, each matrix transposed.
__device__ __forceinline__ void load_matrices_transposed(unsigned (&to)[4], const void *row) {
#ifdef __CUDACC__
    unsigned from = static_cast<unsigned>(__cvta_generic_to_shared(row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(from)
                 : "memory");
#else
    emulation::load_matrices(to, row, true);
#endif
}

// D += A·B, 16×K times K×8, of a warp, K being 32 bytes of elements: 16 of f16 or
// bf16, 8 of float, of which the 10 leading bits of the mantissa count. With g =
// lane/4, t = lane%4 and words of four bytes, a is A's words (g, t), (g+8, t),
// (g, t+4), (g+8, t+4), b is Bᵀ's (g, t), (g, t+4), and d is D's elements (g, 2t),
// (g, 2t+1), (g+8, 2t), (g+8, 2t+1).
template <class T>
__device__ __forceinline__ void multiply_add(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifdef __CUDACC__
#define MULTIPLY_ADD(kind)                                                                                             \
    asm volatile("mma.sync.aligned." kind " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                     \
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                                      \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
    if constexpr (sizeof(T) == 4)
        MULTIPLY_ADD("m16n8k8.row.col.f32.tf32.tf32.f32");
    else if constexpr (std::is_same_v<T, f16>)
        MULTIPLY_ADD("m16n8k16.row.col.f32.f16.f16.f32");
    else
        MULTIPLY_ADD("m16n8k16.row.col.f32.bf16.bf16.f32");
#undef MULTIPLY_ADD
#else
    emulation::multiply_add<T>(d, a, b);
#endif
}

// 2ˣ to within two units of the last place, zero where that is below the normal numbers.
__device__ __forceinline__ float quick_exp2(float x) {
#ifdef __CUDACC__
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
#else
    float result = std::exp2(x);
    return result < 1.17549435e-38f ? 0.f : result;
#endif
}

// 1/x to within a unit of the last place or so, for x whose inverse is a normal number.
__device__ __forceinline__ double quick_inverse(double x) {
#ifdef __CUDACC__
    double y;
    asm("rcp.approx.ftz.f64 %0, %1;" : "=d"(y) : "d"(x)); // 20 bits
    y = fma(y, fma(-x, y, 1.), y);
    return fma(y, fma(-x, y, 1.), y);
#else
    return 1 / x;
#endif
}

// The nearest value with a mantissa of 10 bits, ties away from zero.
__device__ __forceinline__ unsigned round_tf32(unsigned bits) {
#ifdef __CUDACC__
    unsigned rounded;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(__uint_as_float(bits)));
    return rounded;
#else
    return (bits & 0x7f800000) == 0x7f800000 ? bits : (bits + 0x1000) & ~0x1fffu;
#endif
}

// Byte at which the 16-byte piece number piece of a row lies in a slice of rows of 64 bytes
// in shared memory: exchanged by the row's number, so that neither copies nor loads of 8×8
// matrices meet on a bank.
__device__ __forceinline__ int piece_at(int row, int piece) { return row * 64 + ((piece ^ (row >> 1 & 3)) << 4); }
