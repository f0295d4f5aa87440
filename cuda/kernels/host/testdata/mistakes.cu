// Kernels with the mistakes that the emulation is there to find, for blocks of 64
// threads.
#include "../../device.h"
#include "../../hopper.h"

KERNEL((64), barrier_for_some, float *) {
    if (threadIdx.x < 32) __syncthreads();
}

KERNEL((64), shuffle_for_some, float *y) {
    float v = 1;
    if (threadIdx.x % 32 != 5) v = __shfl_xor_sync(all_lanes, v, 1);
    y[threadIdx.x] = v;
}

KERNEL((64), two_shuffles, float *y) {
    float v = 1;
    if (threadIdx.x % 2)
        v = __shfl_xor_sync(all_lanes, v, 1);
    else
        v = __shfl_down_sync(all_lanes, v, 1);
    y[threadIdx.x] = v;
}

KERNEL((64), copy_never_waited_for, const float *x) {
    DYNAMIC_SHARED(float, shared);
    copy_async(shared + 4 * threadIdx.x, x + 4 * threadIdx.x, true);
    copy_commit();
}

KERNEL((64), copy_that_is_not_aligned, const float *x) {
    DYNAMIC_SHARED(float, shared);
    copy_async(shared + 4 * threadIdx.x + 1, x + 4 * threadIdx.x, true);
    copy_wait<0>();
}

// y is NaN where the copy is read too early.
KERNEL((64), copy_read_early, float *y, const float *x) {
    DYNAMIC_SHARED(float, shared);
    copy_async(shared + 4 * threadIdx.x, x + 4 * threadIdx.x, true);
    copy_commit();
    y[threadIdx.x] = shared[4 * threadIdx.x];
    copy_wait<0>();
}

// What y is depends on the order of threads.
KERNEL((64), barrier_forgotten, float *y) {
    DYNAMIC_SHARED(float, shared);
    shared[threadIdx.x] = float(threadIdx.x);
    y[threadIdx.x] = shared[63 - threadIdx.x];
}

KERNEL((64), barrier_nobody_arrives_at, float *) {
    DYNAMIC_SHARED(CopyBarrier, barrier);
    if (threadIdx.x == 0) barrier_begin(barrier, 1);
    __syncthreads();
    barrier_wait(barrier, 0);
}

// The following are right, and wrong, about what orders accesses of other threads.
KERNEL((64), barrier_between, float *y) {
    __shared__ float all[64];
    all[threadIdx.x] = float(threadIdx.x);
    __syncthreads();
    y[threadIdx.x] = all[63 - threadIdx.x];
    __syncthreads();
    all[63 - threadIdx.x] = 0;
}

KERNEL((64), static_memory_read_early, float *y) {
    __shared__ float all[64];
    all[threadIdx.x] = float(threadIdx.x);
    y[threadIdx.x] = all[threadIdx.x ^ 1];
}

KERNEL((64), written_while_others_read, float *y) {
    __shared__ float all[64];
    all[threadIdx.x] = float(threadIdx.x);
    __syncthreads();
    y[threadIdx.x] = all[63 - threadIdx.x];
    all[threadIdx.x] = 0;
}

// A warp's threads are ordered by __syncwarp, other warps' aren't.
KERNEL((64), barrier_of_a_warp_between, float *y) {
    __shared__ float all[64];
    all[threadIdx.x] = float(threadIdx.x);
    __syncwarp();
    y[threadIdx.x] = all[threadIdx.x ^ 1];
}

KERNEL((64), barrier_of_a_warp_for_a_block, float *y) {
    __shared__ float all[64];
    all[threadIdx.x] = float(threadIdx.x);
    __syncwarp();
    y[threadIdx.x] = all[threadIdx.x ^ 32];
}

KERNEL((64), shuffle_between, float *y) {
    __shared__ float all[64];
    all[threadIdx.x] = float(threadIdx.x);
    float one = __shfl_xor_sync(all_lanes, 1.f, 1);
    y[threadIdx.x] = one * all[threadIdx.x ^ 1];
}

KERNEL((64), blocks_write_the_same, float *y) { y[threadIdx.x] = 1; }

KERNEL((64), blocks_add_to_the_same, float *y) { atomicAdd(y, 1.f); }

KERNEL((64), copy_seen_by_others, float *y, const float *x) {
    DYNAMIC_SHARED(float, shared);
    copy_async(shared + 4 * threadIdx.x, x + 4 * threadIdx.x, true);
    copy_commit();
    copy_wait<0>();
    __syncthreads();
    y[threadIdx.x] = shared[4 * (63 - threadIdx.x)];
}

// A thread has waited for its own copies only.
KERNEL((64), copy_of_another_not_waited_for, float *y, const float *x) {
    DYNAMIC_SHARED(float, shared);
    copy_async(shared + 4 * threadIdx.x, x + 4 * threadIdx.x, true);
    copy_commit();
    copy_wait<0>();
    y[threadIdx.x] = shared[4 * (63 - threadIdx.x)];
}

KERNEL((64), arrival_between, float *y) {
    DYNAMIC_SHARED(CopyBarrier, barrier);
    __shared__ float one[1];
    if (threadIdx.x == 0) barrier_begin(barrier, 1);
    __syncthreads();
    if (threadIdx.x == 0) {
        one[0] = 1;
        barrier_arrive(barrier);
    }
    barrier_wait(barrier, 0);
    y[threadIdx.x] = one[0];
}

KERNEL((64), written_after_the_arrival, float *y) {
    DYNAMIC_SHARED(CopyBarrier, barrier);
    __shared__ float one[1];
    if (threadIdx.x == 0) barrier_begin(barrier, 1);
    __syncthreads();
    if (threadIdx.x == 0) {
        barrier_arrive(barrier);
        one[0] = 1;
    }
    barrier_wait(barrier, 0);
    y[threadIdx.x] = one[0];
}

// Lanes read words that lie so many words apart: all in one turn of the banks where that is
// odd.
KERNEL((32), read_with_stride, float *y, Int stride) {
    DYNAMIC_SHARED(float, shared);
    y[threadIdx.x] = shared[threadIdx.x * stride];
}

// Eight lanes copy to 128 bytes together, in another order each eight, twice (when copies begin
// and when they end), after an exchange that one of them came last to.
KERNEL((32), copy_after_a_shuffle, float *y, const float *x) {
    DYNAMIC_SHARED(float, shared);
    y[threadIdx.x] = warp_sum(1.f);
    copy_async(shared + 4 * (threadIdx.x ^ threadIdx.x / 8), x + 4 * threadIdx.x, true);
    copy_commit();
    copy_wait<0>();
}

// Each block exchanges values between its lanes, and nothing else.
KERNEL((64), shuffle_in_blocks, double *y) {
    const double sum = warp_sum(1.);
    if (first_index() == 0) *y = sum;
}

// y is NaN, since static shared memory begins so.
KERNEL((64), static_memory_before_it_is_written, float *y) {
    __shared__ float all[64];
    y[threadIdx.x] = all[threadIdx.x];
    all[threadIdx.x] = 1;
}

KERNEL((64), wide_load_that_is_not_aligned, float *y, const float *x) { y[threadIdx.x] = load_wide(x + 1).at[0]; }

// What a description of a matrix in shared memory says, by where it begins.
KERNEL((32), description_of, unsigned long long *to, Int at) {
    DYNAMIC_SHARED(unsigned char, shared);
    if (threadIdx.x > 0) return;
    to[0] = matrix_at(shared + at);
    to[1] = shared_address(shared + at);
}

// *to = what the matrix units make of 16 products x[k]·y[k] added to *to: element (0, 0) of a
// matrix whose first row is x, times one whose first column is y. All others are zero.
KERNEL((32), matrix_unit_sum, float *to, const float *x, const float *y) {
    unsigned a[4] = {}, b[2] = {};
    float d[4] = {threadIdx.x == 0 ? *to : 0.f};
    auto pair = [](const float *v) {
        f16 two[2] = {from_float<f16>(v[0]), from_float<f16>(v[1])};
        unsigned bits;
        memcpy(&bits, two, 4);
        return bits;
    };
    if (threadIdx.x < 4) {
        const unsigned first = 2 * threadIdx.x;
        a[0] = pair(x + first), a[2] = pair(x + 8 + first);
        b[0] = pair(y + first), b[1] = pair(y + 8 + first);
    }
    multiply_add<f16>(d, a, b);
    if (threadIdx.x == 0) *to = d[0];
}
