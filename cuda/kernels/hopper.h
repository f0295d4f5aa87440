// The instructions that compute capability 9.0 has for matrices: copies of boxes of tensors
// in the background, barriers that such copies complete, and products of a group of four
// warps whose operands lie in shared memory. Where code is made for others, they trap.
#pragma once

#include "device.h"

#if defined(__CUDACC__) && defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define HOPPER(...) __VA_ARGS__
#elif defined(__CUDACC__)
#define HOPPER(...) __trap()
#define NO_HOPPER
#else
#include "host/hopper.h"
#endif

// Whether this is code that has them.
#ifdef NO_HOPPER
constexpr bool hopper_code = false;
#else
constexpr bool hopper_code = true;
#endif

// What the driver makes of a tensor in device memory for copies of boxes
// (cuTensorMapEncodeTiled).
struct alignas(64) TensorMap {
    unsigned char opaque[128];
};

// A barrier in shared memory, of so many arrivals and bytes to come.
using CopyBarrier = unsigned long long;

// The address in the window of shared memory.
__device__ __forceinline__ unsigned shared_address(const void *p) {
#ifdef __CUDACC__
    return static_cast<unsigned>(__cvta_generic_to_shared(p));
#else
    return emulation::shared_address(p);
#endif
}

__device__ __forceinline__ void barrier_begin(CopyBarrier *barrier, int arrivals) {
#ifdef __CUDACC__
    HOPPER(asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals)
                        : "memory"));
#else
    emulation::barrier_begin(barrier, arrivals);
#endif
}

// Shows barriers that were begun to background copies.
__device__ __forceinline__ void barriers_begun() {
#ifdef __CUDACC__
    HOPPER(asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"));
    HOPPER(asm volatile("fence.proxy.async.shared::cta;" ::: "memory"));
#endif
}

__device__ __forceinline__ void barrier_arrive(CopyBarrier *barrier) {
#ifdef __CUDACC__
    HOPPER(asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory"));
#else
    emulation::barrier_arrive(barrier, 0);
#endif
}

// Arrives, and lets the phase wait for so many bytes more.
__device__ __forceinline__ void barrier_expect(CopyBarrier *barrier, int bytes) {
#ifdef __CUDACC__
    HOPPER(
        asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes)
                     : "memory"));
#else
    emulation::barrier_arrive(barrier, bytes);
#endif
}

// Waits for the end of the phase of a parity; phases count from 0.
__device__ __forceinline__ void barrier_wait(CopyBarrier *barrier, int parity) {
#ifdef __CUDACC__
    HOPPER(asm volatile("{\n"
                        ".reg .pred done;\n"
                        "again:\n"
                        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
                        "@!done bra again;\n"
                        "}" ::"r"(shared_address(barrier)),
                        "r"(parity)
                        : "memory"));
#else
    emulation::barrier_wait(barrier, parity);
#endif
}

// Makes what the host wrote to a tensor map known to the copies.
__device__ __forceinline__ void acquire_map(const TensorMap *map) {
#ifdef __CUDACC__
    HOPPER(asm volatile("fence.proxy.tensormap::generic.acquire.gpu [%0], 128;" ::"l"(map) : "memory"));
#else
    (void)map;
#endif
}

// Begins to copy the box at coordinates to shared memory; the barrier gets its bytes.
// What lies outside the tensor comes as zeros.
__device__ __forceinline__ void copy_box(void *to, const TensorMap *map, CopyBarrier *barrier, int x, int y) {
#ifdef __CUDACC__
    HOPPER(asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], "
        "[%2];" ::"r"(shared_address(to)),
        "l"(map), "r"(shared_address(barrier)), "r"(x), "r"(y)
        : "memory"));
#else
    emulation::copy_box(to, map, barrier, {x, y, 0});
#endif
}
__device__ __forceinline__ void copy_box(void *to, const TensorMap *map, CopyBarrier *barrier, int x, int y, int z) {
#ifdef __CUDACC__
    HOPPER(
        asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, "
                     "%5}], [%2];" ::"r"(shared_address(to)),
                     "l"(map), "r"(shared_address(barrier)), "r"(x), "r"(y), "r"(z)
                     : "memory"));
#else
    emulation::copy_box(to, map, barrier, {x, y, z});
#endif
}

// A barrier of some of the block's threads; number from 1 on.
__device__ __forceinline__ void some_threads(int number, int threads) {
#ifdef __CUDACC__
    asm volatile("bar.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
#else
    emulation::barrier(number, threads);
#endif
}

// Changes how many registers the threads of a group of four warps may have.
template <int count> __device__ __forceinline__ void fewer_registers() {
#ifdef __CUDACC__
    HOPPER(asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(count)));
#endif
}
template <int count> __device__ __forceinline__ void more_registers() {
#ifdef __CUDACC__
    HOPPER(asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(count)));
#endif
}

// After so many bytes the pattern repeats by which copies with a swizzle of 128 bytes exchange
// pieces: eight rows (PTX ISA, matrix descriptors: its base offset is zero where a pattern
// begins at a multiple of 1,024).
constexpr unsigned swizzle_bytes = 1024;

// Describes a matrix in shared memory: rows of 128 bytes, the depth along them, that were
// copied with a swizzle of 128 bytes, the first of them to a multiple of 1,024; 32·k bytes on it
// is that from element 16·k (of two bytes) of the depth on.
__device__ __forceinline__ unsigned long long matrix_at(const void *p) {
    constexpr unsigned long long eight_rows = swizzle_bytes >> 4, swizzle128 = 1;
    return (shared_address(p) & 0x3ffffull) >> 4 | 1ull << 16 | eight_rows << 32 | swizzle128 << 62;
}

// Before the first product after accumulators were touched.
__device__ __forceinline__ void products_begin() {
#ifdef __CUDACC__
    HOPPER(asm volatile("wgmma.fence.sync.aligned;" ::: "memory"));
#endif
}

// Ends a group of products.
__device__ __forceinline__ void products_commit() {
#ifdef __CUDACC__
    HOPPER(asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"));
#else
    emulation::commit_products();
#endif
}

// Waits for all but the latest groups of products.
template <int groups> __device__ __forceinline__ void products_wait() {
#ifdef __CUDACC__
    HOPPER(asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(groups) : "memory"));
#else
    emulation::await_products(groups);
#endif
}

// The instruction for so many columns, and eight of the accumulators d as its operands.
#ifdef __CUDACC__
#define ACCUMULATORS(i)                                                                                                \
    "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]),        \
        "+f"(d[i + 7])
#define MULTIPLY_GROUP_32(kind)                                                                                        \
    HOPPER(asm volatile(                                                                                               \
        "{\n.reg .pred p;\nsetp.ne.b32 p, %18, 0;\n"                                                                   \
        "wgmma.mma_async.sync.aligned.m64n32k16." kind                                                                 \
        " {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15}, %16, %17, p, 1, 1, 0, 0;\n}"         \
        : ACCUMULATORS(0), ACCUMULATORS(8)                                                                             \
        : "l"(a), "l"(b), "r"(int(add))))
#define MULTIPLY_GROUP_64(kind)                                                                                        \
    HOPPER(asm volatile(                                                                                               \
        "{\n.reg .pred p;\nsetp.ne.b32 p, %34, 0;\n"                                                                   \
        "wgmma.mma_async.sync.aligned.m64n64k16." kind                                                                 \
        " {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "                           \
        "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, %32, %33, p, 1, 1, 0, 0;\n}"           \
        : ACCUMULATORS(0), ACCUMULATORS(8), ACCUMULATORS(16), ACCUMULATORS(24)                                         \
        : "l"(a), "l"(b), "r"(int(add))))
#define MULTIPLY_GROUP_96(kind)                                                                                        \
    HOPPER(asm volatile(                                                                                               \
        "{\n.reg .pred p;\nsetp.ne.b32 p, %50, 0;\n"                                                                   \
        "wgmma.mma_async.sync.aligned.m64n96k16." kind                                                                 \
        " {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "                           \
        "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, "                             \
        "%34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47}, %48, %49, p, 1, 1, 0, 0;\n}"           \
        : ACCUMULATORS(0), ACCUMULATORS(8), ACCUMULATORS(16), ACCUMULATORS(24),                                        \
          ACCUMULATORS(32), ACCUMULATORS(40)                                                                           \
        : "l"(a), "l"(b), "r"(int(add))))
#define MULTIPLY_GROUP_128(kind)                                                                                       \
    HOPPER(asm volatile(                                                                                               \
        "{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"                                                                   \
        "wgmma.mma_async.sync.aligned.m64n128k16." kind                                                                \
        " {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "                           \
        "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, "                             \
        "%34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, "                             \
        "%50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, %64, %65, p, 1, 1, 0, 0;\n}"           \
        : ACCUMULATORS(0), ACCUMULATORS(8), ACCUMULATORS(16), ACCUMULATORS(24),                                        \
          ACCUMULATORS(32), ACCUMULATORS(40), ACCUMULATORS(48), ACCUMULATORS(56)                                       \
        : "l"(a), "l"(b), "r"(int(add))))
#endif

// D = A·Bᵀ, or D += A·Bᵀ where add, of 64 rows of A and columns rows of B, 16 elements deep,
// by four warps. d[4j + k] is row 16·(warp%4) + lane/4 + k/2·8, column 8j + lane%4·2 + k%2.
#ifdef __CUDACC__
#define MULTIPLY_GROUP(columns)                                                                                        \
    if constexpr (std::is_same_v<T, f16>)                                                                              \
        MULTIPLY_GROUP_##columns("f32.f16.f16");                                                                       \
    else                                                                                                               \
        MULTIPLY_GROUP_##columns("f32.bf16.bf16")
#else
#define MULTIPLY_GROUP(columns) emulation::multiply_later<T>(d, columns, a, b, add)
#endif
#define MULTIPLIES_GROUP(columns)                                                                                      \
    template <class T>                                                                                                 \
    __device__ __forceinline__ void multiply_group(float (&d)[columns / 2], unsigned long long a,                      \
                                                   unsigned long long b, bool add) {                                   \
        MULTIPLY_GROUP(columns);                                                                                       \
    }
MULTIPLIES_GROUP(32)
MULTIPLIES_GROUP(64)
MULTIPLIES_GROUP(96)
MULTIPLIES_GROUP(128)
#undef ACCUMULATORS
#undef MULTIPLY_GROUP_32
#undef MULTIPLY_GROUP_64
#undef MULTIPLY_GROUP_96
#undef MULTIPLY_GROUP_128
#undef MULTIPLY_GROUP
#undef MULTIPLIES_GROUP
