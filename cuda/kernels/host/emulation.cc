// The scheduler of the emulated device: emulation.h says what it promises.
#include "emulation.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulation {
namespace {

constexpr int most_threads_of_a_block = 1024;
constexpr size_t stack_size = 256 << 10;
constexpr size_t most_shared = 227 << 10;
constexpr int named_barriers = 16;
// Rounds in which every thread only looks whether what it waits for has come.
constexpr int most_idle_rounds = 1000;

struct Copy {
    void *to;
    const void *from;
    int size, filled, group;
};

enum class State { ready, waits, polls, done };

struct Fiber {
    void *stack_pointer;
    State state;
    int waits_for; // a barrier, or -1 for the warp
    int group;     // of asynchronous copies
    std::vector<Copy> copies;
};

struct Warp {
    alignas(16) unsigned char lanes[32 * exchange_stride];
    const char *exchange;
    int arrived;
};

struct Barrier {
    int arrived, threads;
};

struct Device {
    Fiber fibers[most_threads_of_a_block];
    Warp warps[most_threads_of_a_block / 32];
    Barrier barriers[named_barriers];
    unsigned char *stacks, *shared_end;
    size_t shared_size;
    void *scheduler;
    int current, threads;
    bool progressed;
    const Entry *entry;
    void *const *arguments;
    bool on_fiber, failed;
    char message[512];
};

struct Failure {};

Entry *entries;
thread_local Device *device;

// How the order of threads in a block is chosen.
enum class Order { forward, backward, warps_backward };
Order order;

#if defined(__x86_64__)
extern "C" void emulation_switch(void **save, void *to);
asm(R"(
	.text
	.globl emulation_switch
	.hidden emulation_switch
	.type emulation_switch,@function
emulation_switch:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size emulation_switch,.-emulation_switch
)");
#else
#error "the emulation's switch between fibers is written for x86-64"
#endif

void to_scheduler() { emulation_switch(&device->fibers[device->current].stack_pointer, device->scheduler); }

void fiber_main() {
    device->entry->call(device->arguments);
    Fiber &self = device->fibers[device->current];
    if (!self.copies.empty()) fail("thread %d ends with asynchronous copies under way", device->current);
    self.state = State::done;
    device->progressed = true;
    to_scheduler();
    std::abort();
}

void begin(int thread) {
    Fiber &f = device->fibers[thread];
    auto *top = reinterpret_cast<void **>(device->stacks + size_t(thread + 1) * stack_size);
    *--top = nullptr; // the stack is aligned as after a call
    *--top = reinterpret_cast<void *>(fiber_main);
    for (int i = 0; i < 6; i++) *--top = nullptr;
    f.stack_pointer = top;
    f.state = State::ready;
    f.group = 0;
    f.copies.clear();
}

unsigned char *map(size_t size) {
    void *at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc();
    return static_cast<unsigned char *>(at);
}

Device *new_device() {
    auto *d = new Device();
    d->stacks = map(most_threads_of_a_block * stack_size);
    size_t page = size_t(sysconf(_SC_PAGESIZE));
    size_t room = (most_shared + page - 1) / page * page;
    unsigned char *shared = map(room + page);
    d->shared_end = shared + room;
    mprotect(d->shared_end, page, PROT_NONE);
    return d;
}

void run(int thread) {
    Fiber &f = device->fibers[thread];
    device->current = thread;
    threadIdx = {thread % blockDim.x, thread / blockDim.x % blockDim.y, thread / (blockDim.x * blockDim.y)};
    if (f.state == State::polls) f.state = State::ready;
    device->on_fiber = true;
    emulation_switch(&device->scheduler, f.stack_pointer);
    device->on_fiber = false;
    if (device->failed) throw Failure{};
}

// Runs the threads of a warp until none can go on.
void run_warp(int warp) {
    int first = warp * 32, end = device->threads < first + 32 ? device->threads : first + 32;
    for (bool again = true; again;) {
        again = false;
        for (int i = first; i < end; i++) {
            int thread = order == Order::backward ? end - 1 - (i - first) : i;
            if (device->fibers[thread].state == State::ready) {
                run(thread);
                again = true;
            }
        }
    }
}

void run_block() {
    for (int i = 0; i < device->threads; i++) begin(i);
    int warps = (device->threads + 31) / 32;
    for (int i = 0; i < warps; i++) device->warps[i].arrived = 0;
    for (Barrier &b : device->barriers) b = {};
    std::memset(shared(), 0xff, device->shared_size);
    for (int idle = 0;;) {
        device->progressed = false;
        for (int i = 0; i < warps; i++) run_warp(order == Order::forward ? i : warps - 1 - i);
        bool all_done = true, polling = false;
        for (int i = 0; i < device->threads; i++) {
            Fiber &f = device->fibers[i];
            all_done &= f.state == State::done;
            if (f.state == State::polls) {
                f.state = State::ready;
                polling = true;
            }
        }
        if (all_done) return;
        idle = device->progressed ? 0 : idle + 1;
        if (idle > (polling ? most_idle_rounds : 0)) break;
    }
    for (int i = 0; i < device->threads; i++) {
        const Fiber &f = device->fibers[i];
        if (f.state == State::done) continue;
        if (f.state == State::ready) fail("thread %d waits for something that doesn't come", i);
        fail("thread %d waits for %s that others don't reach", i, f.waits_for < 0 ? device->warps[i / 32].exchange : "a barrier");
    }
}

} // namespace

Entry::Entry(const char *name, int most_threads, int parameters, Function call)
    : name(name), most_threads(most_threads), parameters(parameters), call(call), next(entries) {
    entries = this;
}

void fail(const char *format, ...) {
    int length = std::snprintf(device->message, sizeof device->message, "%s, block (%u, %u, %u): ", device->entry->name,
                               blockIdx.x, blockIdx.y, blockIdx.z);
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(device->message + length, sizeof device->message - length, format, arguments);
    va_end(arguments);
    if (!device->on_fiber) throw Failure{};
    device->failed = true;
    to_scheduler();
    std::abort();
}

int lane() { return device->current % 32; }

unsigned char *shared() { return device->shared_end - (device->shared_size + 127) / 128 * 128; }

size_t shared_size() { return device->shared_size; }

void yield() {
    device->fibers[device->current].state = State::polls;
    to_scheduler();
}

void barrier(int id, int threads) {
    Barrier &b = device->barriers[id];
    if (b.arrived > 0 && b.threads != threads) fail("barrier %d is waited for by %d and by %d threads", id, b.threads, threads);
    b.threads = threads;
    device->progressed = true;
    if (++b.arrived < threads) {
        Fiber &self = device->fibers[device->current];
        self.state = State::waits;
        self.waits_for = id;
        to_scheduler();
        return;
    }
    b.arrived = 0;
    for (int i = 0; i < device->threads; i++) {
        Fiber &f = device->fibers[i];
        if (f.state == State::waits && f.waits_for == id) f.state = State::ready;
    }
}

void *exchange(const void *operand, size_t size, const char *name, void (*combine)(void *lanes, int live)) {
    int first = device->current / 32 * 32;
    int live = device->threads - first < 32 ? device->threads - first : 32;
    Warp &w = device->warps[first / 32];
    if (w.arrived > 0 && w.exchange != name && std::strcmp(w.exchange, name) != 0)
        fail("lanes of one warp are at %s and at %s", w.exchange, name);
    w.exchange = name;
    unsigned char *mine = w.lanes + (device->current - first) * exchange_stride;
    std::memcpy(mine, operand, size);
    device->progressed = true;
    if (++w.arrived < live) {
        Fiber &self = device->fibers[device->current];
        self.state = State::waits;
        self.waits_for = -1;
        to_scheduler();
        return mine;
    }
    combine(w.lanes, live);
    w.arrived = 0;
    for (int i = first; i < first + live; i++) {
        Fiber &f = device->fibers[i];
        if (f.state == State::waits && f.waits_for < 0) f.state = State::ready;
    }
    return mine;
}

void copy_later(void *to, const void *from, int size, int filled) {
    Fiber &self = device->fibers[device->current];
    if (reinterpret_cast<uintptr_t>(to) % size != 0 || (filled > 0 && reinterpret_cast<uintptr_t>(from) % size != 0))
        fail("asynchronous copy of %d bytes from %p to %p, which aren't aligned to it", size, from, to);
    std::memset(to, 0xff, size);
    self.copies.push_back({to, from, size, filled, self.group});
}

void commit_copies() { device->fibers[device->current].group++; }

void await_copies(int groups_left) {
    Fiber &self = device->fibers[device->current];
    size_t kept = 0;
    for (const Copy &c : self.copies) {
        if (c.group >= self.group - groups_left) {
            self.copies[kept++] = c;
            continue;
        }
        std::memcpy(c.to, c.from, c.filled);
        std::memset(static_cast<unsigned char *>(c.to) + c.filled, 0, c.size - c.filled);
    }
    self.copies.resize(kept);
}

} // namespace emulation

using namespace emulation;

namespace {
const Entry *find(const char *name) {
    const Entry *e = entries;
    while (e && std::strcmp(e->name, name) != 0) e = e->next;
    return e;
}
} // namespace

// Returns how many parameters a kernel has, or -1 where there is no such kernel.
extern "C" int standin_parameters(const char *name) {
    const Entry *e = find(name);
    return e ? e->parameters : -1;
}

// Chooses the order in which threads of a block run: 0 forward, 1 backward, 2
// forward in each warp and warps backward.
extern "C" void standin_order(int chosen) { order = Order(chosen); }

// Runs a kernel to its end. Returns null, or what went wrong; the message is valid
// until the next launch on this thread.
extern "C" const char *standin_launch(const char *name, dim3 grid, dim3 block, size_t shared, void *const *arguments) {
    if (!device) device = new_device();
    const Entry *e = find(name);
    auto refuse = [&](const char *why) {
        std::snprintf(device->message, sizeof device->message, "%s: %s", name, why);
        return device->message;
    };
    if (!e) return refuse("no such kernel");
    size_t threads = size_t(block.x) * block.y * block.z;
    if (threads == 0 || threads > size_t(e->most_threads)) return refuse("block is larger than its launch bounds");
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535) return refuse("grid is out of bounds");
    if (shared > most_shared) return refuse("more shared memory than a block can have");
    device->entry = e;
    device->arguments = arguments;
    device->threads = int(threads);
    device->shared_size = shared;
    blockDim = block;
    gridDim = grid;
    device->failed = false;
    try {
        for (unsigned z = 0; z < grid.z; z++)
            for (unsigned y = 0; y < grid.y; y++)
                for (unsigned x = 0; x < grid.x; x++) {
                    blockIdx = {x, y, z};
                    run_block();
                }
    } catch (const Failure &) {
        return device->message;
    }
    return nullptr;
}
