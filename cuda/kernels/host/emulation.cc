// The scheduler of the emulated device: emulation.h says what it promises.
#include "emulation.h"
#include "hopper.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

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
};

enum class State { ready, waits, polls, done };

struct Fiber {
    void *stack_pointer;
    State state;
    int waits_for; // a barrier, or -1 for the warp
    int group;     // of asynchronous copies
    std::vector<Copy> copies;
    int product_group;
    std::vector<Product> products;
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
    std::vector<BoxCopy> boxes;
    unsigned char *stacks, *shared_begin, *shared_end;
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

void to_scheduler() { emulation_switch(&device->fibers[device->current].stack_pointer, device->scheduler); }

void fiber_main() {
    device->entry->call(device->arguments);
    Fiber &self = device->fibers[device->current];
    if (!self.products.empty()) fail("thread %d ends with products under way", device->current);
    if (!self.copies.empty()) fail("thread %d ends with asynchronous copies under way", device->current);
    self.state = State::done;
    device->progressed = true;
    to_scheduler();
    std::abort();
}

void begin(int thread) {
    Fiber &f = device->fibers[thread];
    auto *frame = reinterpret_cast<void **>(device->stacks + size_t(thread + 1) * stack_size) - frame_words;
    std::memset(frame, 0, frame_words * sizeof *frame);
    frame[return_word] = reinterpret_cast<void *>(fiber_main);
    f.stack_pointer = frame;
    f.state = State::ready;
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
    device->boxes.clear();
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
        fail("thread %d waits for %s that others don't reach", i,
             f.waits_for < 0 ? device->warps[i / 32].exchange : "a barrier");
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

int lane() { return device->current % 32; }

unsigned char *shared() { return device->shared_end - (device->shared_size + 127) / 128 * 128; }

size_t shared_size() { return device->shared_size; }

void yield() {
    device->fibers[device->current].state = State::polls;
    to_scheduler();
}

void barrier(int id, int threads) {
    Barrier &b = device->barriers[id];
    if (b.arrived > 0 && b.threads != threads)
        fail("barrier %d is waited for by %d and by %d threads", id, b.threads, threads);
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
}

void run_copy(const BoxCopy &c) {
    const BoxMap &map = c.map;
    unsigned to = shared_address(c.to), count = 0;
    for (int z = 0; z < int(map.box[2]); z++)
        for (int y = 0; y < int(map.box[1]); y++)
            for (int x = 0; x < int(map.box[0]); x++, count++) {
                unsigned at = to + count * map.element;
                if (map.swizzled) at ^= (at >> 7 & 7) << 4;
                const int from[3] = {c.at[0] + x, c.at[1] + y, c.at[2] + z};
                const unsigned char *element = map.at;
                bool inside = true;
                for (int i = 0; i < 3; i++) {
                    inside &= from[i] >= 0 && uint64_t(from[i]) < map.size[i];
                    element += from[i] * int64_t(map.stride[i]);
                }
                if (inside)
                    std::memcpy(shared_at(at), element, map.element);
                else
                    std::memset(shared_at(at), 0, map.element);
            }
    Phase &p = phase_of(c.barrier);
    p.bytes -= int(count * map.element);
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
}

void copy_box(void *to, const void *encoded, unsigned long long *barrier, std::array<int, 3> at) {
    BoxCopy c{to, {}, barrier, at};
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
