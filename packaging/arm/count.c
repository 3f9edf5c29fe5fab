/* A qemu plugin (API version 1, qemu 7.2) that counts a program's instructions between marks.
 * A mark is the system call getpgid(0x70000000 + N), which fails and does nothing else; at each, the total so far goes
 * to stderr: "instructions N TOTAL SIMD". Build: gcc -shared -fPIC -O2 -o libcount.so count.c
 * The few functions of qemu's API that are used are declared here, for Debian ships no header of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*on_translation)(plugin_id, struct qemu_plugin_tb *);
typedef void (*on_execution)(unsigned, void *);
typedef void (*on_syscall)(plugin_id, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                           uint64_t, uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_translation);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, on_execution, int, void *);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, on_syscall);

#define EXPORT __attribute__((visibility("default")))
enum { THREADS = 512, GETPGID = 155, MARK = 0x70000000 };
EXPORT int qemu_plugin_version = 1;

static struct { uint64_t all, simd; char own_cache_line[48]; } counted[THREADS] __attribute__((aligned(64)));

static void executed(unsigned thread, void *block)
{
    uintptr_t packed = (uintptr_t)block;
    counted[thread % THREADS].all += packed & 0xffff;
    counted[thread % THREADS].simd += packed >> 16;
}

static void translated(plugin_id id, struct qemu_plugin_tb *block)
{
    size_t all = qemu_plugin_tb_n_insns(block), simd = 0;
    for (size_t n = 0; n < all; n++) {
        uint32_t word;
        memcpy(&word, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(block, n)), sizeof word);
        simd += ((word >> 25) & 7) == 7;  /* A64's op0 = x111: SIMD and floating point */
    }
    qemu_plugin_register_vcpu_tb_exec_cb(block, executed, 0, (void *)(uintptr_t)(all | simd << 16));
}

static void called(plugin_id id, unsigned thread, int64_t number, uint64_t first, uint64_t b, uint64_t c, uint64_t d,
                   uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    if (number != GETPGID || (first & 0xffff0000) != MARK)
        return;
    uint64_t all = 0, simd = 0;
    for (int n = 0; n < THREADS; n++) {
        all += counted[n].all;
        simd += counted[n].simd;
    }
    fprintf(stderr, "instructions %u %" PRIu64 " %" PRIu64 "\n", (unsigned)(first & 0xffff), all, simd);
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
