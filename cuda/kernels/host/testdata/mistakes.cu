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
