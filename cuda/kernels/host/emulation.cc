// The scheduler of the emulated device: emulation.h says what it promises.
#include "emulation.h"
#include "hopper.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

dim3 threadIdx, blockIdx, blockDim, gridDim;

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

struct BoxCopy {
    void *to;
    BoxMap map;
    unsigned long long *barrier;
    std::array<int, 3> at;
    int number; // that it is watched by
};

// What a thread that can't go on waits for, other than a barrier.
constexpr signed char nothing = -1, the_warp = -2;

struct Fiber {
    int group; // of asynchronous copies
    std::vector<Copy> copies;
    int product_group;
    std::vector<Product> products;
};

struct Warp {
    alignas(16) unsigned char lanes[32 * exchange_stride];
    const char *exchange;
    int arrived;
    // Threads that can go on, that only look whether what they wait for has come, and that
    // have ended; all others wait. The first is the lowest bit.
    uint32_t ready, polls, done;
};

struct Barrier {
    int arrived, threads;
};

// The static shared memory of all kernels, on the thread of the host that runs them.
struct Static {
    unsigned char *begin;
    size_t size;
};

struct Device {
    Fiber fibers[most_threads_of_a_block];
    void *stack_pointers[most_threads_of_a_block];
    signed char waits_for[most_threads_of_a_block];
    dim3 indices[most_threads_of_a_block];
    Warp warps[most_threads_of_a_block / 32];
    Barrier barriers[named_barriers];
    std::vector<BoxCopy> boxes;
    unsigned char *stacks, *shared_begin, *shared_end;
    size_t shared_size;
    Static own;
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
Device *device;

// How the order of threads in a block is chosen.
enum class Order { forward, backward, warps_backward };
Order order;

// emulation_switch keeps what a call must keep on the stack, the stack's pointer at save,
// and goes on with another stack: frame_words there, of which one is where to go.
extern "C" void emulation_switch(void **save, void *to);
#if defined(__x86_64__)
constexpr int frame_words = 8, return_word = 6; // the stack is aligned as after a call
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
#elif defined(__aarch64__)
constexpr int frame_words = 20, return_word = 1;
asm(R"(
	.text
	.globl emulation_switch
	.hidden emulation_switch
	.type emulation_switch,%function
emulation_switch:
	stp x29, x30, [sp, #-160]!
	stp x19, x20, [sp, #16]
	stp x21, x22, [sp, #32]
	stp x23, x24, [sp, #48]
	stp x25, x26, [sp, #64]
	stp x27, x28, [sp, #80]
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mov x9, sp
	str x9, [x0]
	mov sp, x1
	ldp x19, x20, [sp, #16]
	ldp x21, x22, [sp, #32]
	ldp x23, x24, [sp, #48]
	ldp x25, x26, [sp, #64]
	ldp x27, x28, [sp, #80]
	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	ldp x29, x30, [sp], #160
	ret
	.size emulation_switch,.-emulation_switch
)");
#else
#error "the emulation's switch between fibers is written for x86-64 and 64-bit Arm"
#endif

Warp &warp_of(int thread) { return device->warps[thread / 32]; }

uint32_t bit_of(int thread) { return 1u << thread % 32; }

// The lanes of a warp that there are threads for, the first as the lowest bit: fewer than 32
// in the last warp of a block whose size isn't a multiple of that.
uint32_t lanes_of(int warp) {
    const int threads = device->threads - warp * 32;
    return threads < 32 ? (1u << threads) - 1 : ~0u;
}

// Goes on with a thread that is ready.
void resume(int thread, void **save) {
    device->current = thread;
    threadIdx = device->indices[thread];
    emulation_switch(save, device->stack_pointers[thread]);
}

void to_scheduler() { emulation_switch(&device->stack_pointers[device->current], device->scheduler); }

// The lane of a warp that runs after another, -1 standing for none before: the threads of a
// warp take turns until none is ready.
int next_lane(uint32_t ready, int after) {
    if (order == Order::backward) {
        const uint32_t below = after < 0 ? ready : ready & ((1u << after) - 1);
        return 31 - __builtin_clz(below ? below : ready);
    }
    const uint32_t above = after < 0 ? ready : ready & ~((2u << after) - 1);
    return __builtin_ctz(above ? above : ready);
}

// Leaves the thread that runs, for another of its warp or, where none is ready, for the
// scheduler.
void leave() {
    const int from = device->current;
    if (const uint32_t ready = warp_of(from).ready; ready != 0)
        resume(from / 32 * 32 + next_lane(ready, from % 32), &device->stack_pointers[from]);
    else
        to_scheduler();
}

// Leaves the thread that runs until a barrier or its warp lets it go on.
void wait_for(signed char what) {
    device->waits_for[device->current] = what;
    warp_of(device->current).ready &= ~bit_of(device->current);
    leave();
}

void fiber_main() {
    device->entry->call(device->arguments);
    Fiber &self = device->fibers[device->current];
    if (!self.products.empty()) fail("thread %d ends with products under way", device->current);
    if (!self.copies.empty()) fail("thread %d ends with asynchronous copies under way", device->current);
    Warp &w = warp_of(device->current);
    w.ready &= ~bit_of(device->current);
    w.done |= bit_of(device->current);
    device->progressed = true;
    leave();
    std::abort();
}

// Stacks begin at different places of their pages, or they would all have the same lines of
// the processor's caches.
size_t stack_begin(int thread) { return size_t(thread + 1) * stack_size - thread % 64 * 18 * 64; }

void begin(int thread) {
    Fiber &f = device->fibers[thread];
    auto *frame = reinterpret_cast<void **>(device->stacks + stack_begin(thread)) - frame_words;
    std::memset(frame, 0, frame_words * sizeof *frame);
    frame[return_word] = reinterpret_cast<void *>(fiber_main);
    device->stack_pointers[thread] = frame;
    device->waits_for[thread] = nothing;
    f.group = 0;
    f.copies.clear();
    f.product_group = 0;
    f.products.clear();
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
    d->shared_begin = shared;
    d->shared_end = shared + room;
    mprotect(d->shared_end, page, PROT_NONE);
    watch_not(d->stacks, most_threads_of_a_block * stack_size);
    watch_not(d, sizeof *d);
    return d;
}

// Finds the thread-local memory of the library that this function is in.
int find_static(dl_phdr_info *library, size_t, void *found) {
    const auto here = reinterpret_cast<ElfW(Addr)>(&find_static);
    const auto *headers = library->dlpi_phdr, *end = headers + library->dlpi_phnum;
    if (std::none_of(headers, end, [&](const ElfW(Phdr) & h) {
            return h.p_type == PT_LOAD && here - (library->dlpi_addr + h.p_vaddr) < h.p_memsz;
        }))
        return 0;
    for (const auto *h = headers; h < end; h++)
        if (h->p_type == PT_TLS)
            *static_cast<Static *>(found) = {static_cast<unsigned char *>(library->dlpi_tls_data), h->p_memsz};
    return 1;
}

Static static_shared() {
    Static found{};
    // Memory is there once one of its variables was asked for.
    static thread_local unsigned char one;
    asm volatile("" ::"r"(&one));
    dl_iterate_phdr(find_static, &found);
    return found;
}

// Runs the threads of a warp until none can go on.
void run_warp(int warp) {
    while (const uint32_t ready = device->warps[warp].ready) {
        device->on_fiber = true;
        resume(warp * 32 + next_lane(ready, -1), &device->scheduler);
        device->on_fiber = false;
        if (device->failed) throw Failure{};
    }
}

void run_block() {
    for (int i = 0; i < device->threads; i++) begin(i);
    int warps = (device->threads + 31) / 32;
    for (int i = 0; i < warps; i++) {
        Warp &w = device->warps[i];
        w.ready = lanes_of(i);
        w.polls = w.done = 0;
        w.arrived = 0;
    }
    for (Barrier &b : device->barriers) b = {};
    device->boxes.clear();
    std::memset(shared(), 0xff, device->shared_size);
    // That of all kernels together is large, so later blocks find what earlier ones left.
    if (blockIdx.y == 0 && blockIdx.z == 0 && blockIdx.x < 4) std::memset(device->own.begin, 0xff, device->own.size);
    watch_block(device->threads, shared(), (device->shared_size + 127) / 128 * 128);
    for (int idle = 0;;) {
        device->progressed = false;
        for (int i = 0; i < warps; i++) run_warp(order == Order::forward ? i : warps - 1 - i);
        bool all_done = true, polling = false;
        for (int i = 0; i < warps; i++) {
            Warp &w = device->warps[i];
            all_done &= w.done == lanes_of(i);
            polling |= w.polls != 0;
            w.ready |= std::exchange(w.polls, 0);
        }
        if (all_done) return;
        idle = device->progressed ? 0 : idle + 1;
        if (idle > (polling ? most_idle_rounds : 0)) break;
    }
    for (int i = 0; i < device->threads; i++) {
        const Warp &w = warp_of(i);
        if (w.done & bit_of(i)) continue;
        if (w.ready & bit_of(i)) fail("thread %d waits for something that doesn't come", i);
        fail("thread %d waits for %s that others don't reach", i,
             device->waits_for[i] == the_warp ? w.exchange : "a barrier");
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

void block_is_of(int threads) {
    if (device->threads != threads) fail("blocks are of %d threads, want %d", device->threads, threads);
}

int current_thread() { return device && device->on_fiber ? device->current : -1; }

int lane() { return device->current % 32; }

unsigned char *shared() { return device->shared_end - (device->shared_size + 127) / 128 * 128; }

size_t shared_size() { return device->shared_size; }

void yield() {
    Warp &w = warp_of(device->current);
    w.ready &= ~bit_of(device->current);
    w.polls |= bit_of(device->current);
    leave();
}

void barrier(int id, int threads) {
    Barrier &b = device->barriers[id];
    if (b.arrived > 0 && b.threads != threads)
        fail("barrier %d is waited for by %d and by %d threads", id, b.threads, threads);
    b.threads = threads;
    device->progressed = true;
    if (++b.arrived < threads) {
        wait_for(static_cast<signed char>(id));
        return;
    }
    b.arrived = 0;
    int joined[most_threads_of_a_block], count = 0;
    for (int i = 0; i < device->threads; i++) {
        if (device->waits_for[i] == id) {
            device->waits_for[i] = nothing;
            warp_of(i).ready |= bit_of(i);
        } else if (i != device->current) {
            continue;
        }
        joined[count++] = i;
    }
    watch_joined(joined, count);
}

// The wait for products is one of a whole warp, which matters to who may read what when.
constexpr const char *products_waited_for = "wgmma.wait_group";

void *lane_place() { return warp_of(device->current).lanes + device->current % 32 * exchange_stride; }

void meet(const char *name, void (*combine)(void *lanes, int live)) {
    const int first = device->current / 32 * 32;
    const uint32_t lanes = lanes_of(first / 32);
    const int live = __builtin_popcount(lanes);
    Warp &w = device->warps[first / 32];
    if (w.arrived > 0 && w.exchange != name && std::strcmp(w.exchange, name) != 0)
        fail("lanes of one warp are at %s and at %s", w.exchange, name);
    w.exchange = name;
    device->progressed = true;
    if (++w.arrived < live) {
        wait_for(the_warp);
        return;
    }
    {
        const Unwatched together;
        combine(w.lanes, live);
    }
    if (watching && (std::strcmp(name, "__syncwarp") == 0 || std::strcmp(name, products_waited_for) == 0)) {
        int joined[32];
        for (int i = 0; i < live; i++) joined[i] = first + i;
        watch_joined(joined, live);
    }
    w.arrived = 0;
    // All lanes are here, so none waits for anything else.
    for (int i = first; i < first + live; i++) device->waits_for[i] = nothing;
    w.ready |= lanes;
}

void copy_later(void *to, const void *from, int size, int filled) {
    Fiber &self = device->fibers[device->current];
    if (reinterpret_cast<uintptr_t>(to) % size != 0 || (filled > 0 && reinterpret_cast<uintptr_t>(from) % size != 0))
        fail("asynchronous copy of %d bytes from %p to %p, which aren't aligned to it", size, from, to);
    watch_access(to, size, true, __builtin_return_address(0));
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
        watch_access(c.to, c.size, true, nullptr);
        if (c.filled > 0) watch_access(c.from, c.filled, false, nullptr);
        std::memcpy(c.to, c.from, c.filled);
        std::memset(static_cast<unsigned char *>(c.to) + c.filled, 0, c.size - c.filled);
    }
    self.copies.resize(kept);
}

unsigned shared_address(const void *p) {
    auto at = static_cast<const unsigned char *>(p);
    if (at < device->shared_begin || at > device->shared_end) fail("%p isn't in shared memory", p);
    return unsigned(at - device->shared_begin);
}

unsigned char *shared_at(unsigned address) { return device->shared_begin + address; }

namespace {

// The contents of a barrier.
struct Phase {
    uint16_t arrivals, missing;
    int32_t parity : 1, bytes : 31;
};
static_assert(sizeof(Phase) == 8);

Phase &phase_of(unsigned long long *barrier) { return *reinterpret_cast<Phase *>(barrier); }

void end_phase(Phase &p) {
    device->progressed = true;
    if (p.missing > 0 || p.bytes != 0) return;
    p.missing = p.arrivals;
    p.parity = ~p.parity;
    watch_phase(&p);
}

void run_copy(const BoxCopy &c) {
    const BoxMap &map = c.map;
    // The swizzle moves 16 bytes at a time, of which a row of a box has a whole number.
    constexpr unsigned chunk = 16;
    const unsigned row = map.box[0] * map.element, elements = chunk / map.element;
    unsigned to = shared_address(c.to), bytes = 0;
    for (int z = 0; z < int(map.box[2]); z++)
        for (int y = 0; y < int(map.box[1]); y++) {
            const int64_t from[2] = {int64_t(c.at[1]) + y, int64_t(c.at[2]) + z};
            bool inside = true;
            for (int i = 0; i < 2; i++) inside &= from[i] >= 0 && uint64_t(from[i]) < map.size[i + 1];
            const unsigned char *source = map.at + from[0] * int64_t(map.stride[1]) + from[1] * int64_t(map.stride[2]);
            for (unsigned x = 0; x < row; x += chunk, bytes += chunk) {
                unsigned at = to + bytes;
                if (map.swizzled) at ^= (at >> 7 & 7) << 4;
                unsigned char *place = shared_at(at);
                std::memset(place, 0, chunk);
                const int64_t first = c.at[0] + int64_t(x / map.element), last = first + elements;
                const int64_t begin = std::max<int64_t>(first, 0), end = std::min<int64_t>(last, map.size[0]);
                if (inside && begin < end)
                    std::memcpy(place + (begin - first) * map.element, source + begin * map.element,
                                (end - begin) * map.element);
                watch_copy_writes(c.number, place, chunk);
            }
        }
    watch_copy_ends(c.number, c.barrier);
    Phase &p = phase_of(c.barrier);
    p.bytes -= int(bytes);
    end_phase(p);
}

} // namespace

void barrier_begin(unsigned long long *barrier, int arrivals) {
    phase_of(barrier) = {uint16_t(arrivals), uint16_t(arrivals), 0, 0};
}

void barrier_arrive(unsigned long long *barrier, int bytes) {
    Phase &p = phase_of(barrier);
    if (p.missing == 0) fail("more arrivals at a barrier than it is of");
    p.bytes += bytes;
    p.missing--;
    watch_arrival(barrier);
    end_phase(p);
}

void barrier_wait(unsigned long long *barrier, int parity) {
    auto over = [&] { return (phase_of(barrier).parity & 1) != (parity & 1); };
    while (!over()) {
        size_t kept = 0;
        for (const BoxCopy &c : std::vector<BoxCopy>(std::exchange(device->boxes, {}))) {
            if (c.barrier == barrier)
                run_copy(c);
            else
                device->boxes.insert(device->boxes.begin() + kept++, c);
        }
        if (!over()) yield();
    }
    watch_wait(barrier);
}

void copy_box(void *to, const void *encoded, unsigned long long *barrier, std::array<int, 3> at) {
    BoxCopy c{to, {}, barrier, at, watch_copy_begins()};
    std::memcpy(&c.map, encoded, sizeof c.map);
    if (c.map.kind != BoxMap::known) fail("copy by a tensor map that the driver didn't make");
    if (shared_address(to) % (c.map.swizzled ? 1024 : 128) != 0)
        fail("copy of a box to shared memory at %u, which isn't aligned", shared_address(to));
    if (order == Order::forward)
        run_copy(c);
    else
        device->boxes.push_back(c);
}

void product_later(Product p) {
    Fiber &self = device->fibers[device->current];
    p.group = self.product_group;
    self.products.push_back(p);
}

void commit_products() { device->fibers[device->current].product_group++; }

void await_products(int groups_left) {
    Fiber &self = device->fibers[device->current];
    size_t kept = 0;
    for (const Product &p : self.products) {
        if (p.group >= self.product_group - groups_left)
            self.products[kept++] = p;
        else
            p.run(p);
    }
    self.products.resize(kept);
    if (watching) meet(products_waited_for, [](void *, int) {});
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

// Returns the name of kernel number i, or null where there are no more.
extern "C" const char *standin_kernel(int i) {
    const Entry *e = entries;
    while (e && i-- > 0) e = e->next;
    return e ? e->name : nullptr;
}

// Chooses the order in which threads of a block run: 0 forward, 1 backward, 2
// forward in each warp and warps backward.
extern "C" void standin_order(int chosen) { order = Order(chosen); }

// Runs a kernel to its end; one at a time. Returns null, or what went wrong; the message
// is valid until the next launch.
extern "C" const char *standin_launch(const char *name, dim3 grid, dim3 block, size_t shared, void *const *arguments) {
    static std::mutex one_at_a_time;
    std::lock_guard lock(one_at_a_time);
    if (!device) device = new_device();
    const Entry *e = find(name);
    auto refuse = [&](const char *why) {
        std::snprintf(device->message, sizeof device->message, "%s: %s", name, why);
        return device->message;
    };
    if (!e) return refuse("no such kernel");
    size_t threads = size_t(block.x) * block.y * block.z;
    if (threads == 0 || threads > size_t(e->most_threads)) return refuse("block is larger than its launch bounds");
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535)
        return refuse("grid is out of bounds");
    if (shared > most_shared) return refuse("more shared memory than a block can have");
    device->entry = e;
    device->arguments = arguments;
    device->threads = int(threads);
    for (int i = 0; i < device->threads; i++)
        device->indices[i] = {i % block.x, i / block.x % block.y, i / (block.x * block.y)};
    device->shared_size = shared;
    blockDim = block;
    gridDim = grid;
    device->failed = false;
    device->own = static_shared();
    watch_launch(device->own.begin, device->own.size);
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

// What cuTensorMapEncodeTiled makes, with its parameters and for the tensors that the
// kernels here copy: elements of two bytes (data types 6, float16, and 9, bfloat16), two
// or three dimensions, no interleaving (0), no swizzle (0) or one of 128 bytes (3), zeros
// outside (0). Returns 0, or 1 for parameters that the driver wouldn't take or that the
// emulation doesn't know.
extern "C" int standin_encode_tiled(void *map, int type, unsigned rank, const void *address, const uint64_t *sizes,
                                    const uint64_t *strides, const uint32_t *box, const uint32_t *steps, int interleave,
                                    int swizzle, int, int outside) {
    BoxMap m{BoxMap::known, static_cast<const unsigned char *>(address), {1, 1, 1}, {}, {1, 1, 1}, 2, swizzle == 3};
    if ((type != 6 && type != 9) || rank < 2 || rank > 3 || interleave != 0 || (swizzle != 0 && swizzle != 3) ||
        outside != 0)
        return 1;
    if (reinterpret_cast<uintptr_t>(map) % 64 != 0 || reinterpret_cast<uintptr_t>(address) % 16 != 0) return 1;
    for (unsigned i = 0; i < rank; i++) {
        m.size[i] = sizes[i];
        m.stride[i] = i == 0 ? m.element : strides[i - 1];
        m.box[i] = box[i];
        if (sizes[i] == 0 || box[i] == 0 || box[i] > 256 || steps[i] != 1 || (i > 0 && m.stride[i] % 16 != 0)) return 1;
    }
    uint32_t row = box[0] * m.element;
    if (row % 16 != 0 || (m.swizzled && row > 128)) return 1;
    std::memcpy(map, &m, sizeof m);
    return 0;
}
