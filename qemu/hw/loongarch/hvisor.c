/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a zone of the hvisor hypervisor has around it, on the LoongArch "virt" board
 *
 * The guest runs on the board as it is. This device is at its side: it answers
 * hypercalls, has virtio transports on lines of the CPU itself, stands between
 * the guest and the registers that zones share, and counts what would trap. Some
 * of what it does is wrong on purpose, as early hypervisors did it.
 *
 * Section numbers are those of hvisor.md, the facts on which this is built.
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "chardev/char-fe.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/intc/loongson_liointc.h"
#include "hw/irq.h"
#include "hw/loongarch/virt.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "hw/sysbus.h"
#include "system/runstate.h"
#include "system/tcg.h"
#include "target/loongarch/cpu.h"
#include "target/loongarch/internals.h"

#define TYPE_HVISOR "hvisor"
OBJECT_DECLARE_SIMPLE_TYPE(HvisorState, HVISOR)

/* 4.2, 8.3: numbers of calls; include/uapi/asm/hvisor.h of the series has them, too */
enum {
    CALL_VIRTIO_INIT = 0,
    CALL_VIRTIO_INJECT = 1,
    CALL_ZONE_START = 2,
    CALL_ZONE_SHUTDOWN = 3,
    CALL_ZONE_LIST = 4,
    CALL_IVC_INFO = 5,
    CALL_CONFIG_CHECK = 6,
    CALL_SET_BOOT_MODE = 8,
    CALL_GET_ECAM_BASE = 9,
    CALL_VIRTIO_DEASSERT = 11,
    CALL_CLEAR_INJECT = 20,
    CALL_GUEST_INFO = 0x100,
    CALL_IRQ_EOI = 0x101,
    CALL_IPI_SEND = 0x102,
    CALL_WAIT = 0x103,
    CALL_ZONE_CTRL = 0x104,
    CALL_DEBUG_PUTC = 0x105,
    CALL_IRQ_ROUTE = 0x106,
    CALL_TIME_INFO = 0x107,
};

#define ALL_SERVICES            0x7f
#define ECAM_BASE               0x20000000

/* 1.6, 3.1: the transports, and the CPU's lines that they have */
#define NR_TRANSPORTS           2
#define TRANSPORT_BASE(i)       (0x30001000 + 0x1000 * (i))
#define TRANSPORT_SIZE          0x200
#define TRANSPORT_STATUS        0x60
#define TRANSPORT_HWI(i)        (2 + (i))

#define HWI0                    2       /* bit of ESTAT */
#define SWI0                    0
#define CLEAR_NS                (200 * SCALE_MS)

#define COUNTER_NS              10

/* 3.2, 3.4 */
#define IOCSR_FEATURES          0x8
#define IOCSR_IPI_SEND          0x1040
#define IOCSR_EIOINTC           0x14a0
#define IOCSR_LINES             0x14c0
#define IOCSR_STATUS            0x1700
#define IOCSR_ENABLE            0x1600
#define IOCSR_ROUTES            0x1c00
#define EIOINTC_HWI             1
#define IOCSR_VECTORS           256
#define ROUTED_CORES            4       /* a bit of a route for each */
#define IOCSR_EIOINTC_END       (IOCSR_ROUTES + IOCSR_VECTORS)
#define IOCSR_LIMIT             0x3000
#define LIOINTC_BASE            0x1fe01400
#define LIOINTC_SIZE            0x80
#define LIOINTC_CORES           4
#define LIOINTC_LINES           4       /* of each core */
#define LIOINTC_HWI             0
#define LIOINTC_UART0           10
#define UART0_BASE              0x1fe001e0
#define PCH_PIC_BASE            0x10000000
#define PCH_PIC_SIZE            0x400

#define NR_CSRS                 0x400
#define MAX_PARTS               8
#define MAX_WRITES              (256 * KiB)     /* of text */

/* What is counted, beside CSRs; a key's upper byte */
enum { SPACE_IOCSR, SPACE_SENT, SPACE_VIRTIO, SPACE_PCH_PIC, SPACE_CALL, SPACE_IDLE,
       SPACE_LIOINTC };
static const char *const space_names[] = {
    "iocsr", "sent", "virtio", "pch-pic", "call", "idle", "liointc"
};
#define SPACE_SHIFT             56

/* How often somebody accessed a register, or made a call */
typedef struct Count {
    uint64_t key;
    uint64_t reads, writes, refused;
} Count;

/* Registers that are behind us */
typedef struct Window {
    MemoryRegion region;
    HvisorState *hv;
    int space;
    hwaddr base;
    int transport;              /* -1 if it is none */
    MemoryRegionSection parts[MAX_PARTS];
    unsigned int nr_parts;
} Window;

/* A transport's line of the CPU */
typedef struct Line {
    HvisorState *hv;
    uint8_t bit;                /* in HvisorState.lines */
    bool source;                /* what the device wants */
    QEMUTimer *fall;            /* pending: it falls late */
} Line;

struct HvisorState {
    DeviceState parent_obj;

    char *revision;
    char *signature;
    uint32_t zone;
    uint32_t cpu;
    uint32_t services;
    uint32_t pv_features;
    uint32_t iocsr_features;
    uint32_t iocsr_limit;
    uint32_t first_vector, nr_vectors;
    uint32_t late_us;
    uint32_t noise_hz;
    bool keep_lines;
    bool lose_ipis;
    bool idle_returns;
    bool timer_on_idle;
    bool hide_cpuid;
    bool filter;
    CharBackend console;

    LoongArchHypervisor ops;
    LoongArchVirtMachineState *board;
    CPUState *cs;
    bool is_a;
    MemoryRegion iocsr_region;
    AddressSpace iocsr;
    unsigned int iocsr_depth;   /* of accesses that an access makes */
    Window transports[NR_TRANSPORTS];
    Window pch_pic, liointc;
    qemu_irq uart_lines[2];     /* what UART0 raises */
    Line line[NR_TRANSPORTS];
    uint8_t lines;              /* what the CPU sees, one bit for each HWI */
    QEMUTimer *clear, *noise, *wake;
    bool is_set_up;
    GHashTable *counts;
    GString *writes;
    uint64_t csr_reads[NR_CSRS], csr_writes[NR_CSRS];
};

/* ------------------------------------------------------------- accounting */

static Count *count_of(HvisorState *s, int space, uint64_t address)
{
    uint64_t key = deposit64(address, SPACE_SHIFT, 8, space);
    Count *count = g_hash_table_lookup(s->counts, &key);

    if (!count) {
        count = g_new0(Count, 1);
        count->key = key;
        g_hash_table_insert(s->counts, &count->key, count);
    }
    return count;
}

static void count_csr(LoongArchHypervisor *hv, CPUState *cs, uint32_t csr, bool write)
{
    HvisorState *s = container_of(hv, HvisorState, ops);

    if (csr < NR_CSRS) {
        qatomic_inc(write ? &s->csr_writes[csr] : &s->csr_reads[csr]);
    }
}

static void append_count(gpointer key, gpointer value, gpointer text)
{
    Count *count = value;

    g_string_append_printf(text, "%s 0x%" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                           space_names[count->key >> SPACE_SHIFT],
                           extract64(count->key, 0, SPACE_SHIFT),
                           count->reads, count->writes, count->refused);
}

/* Lines "SPACE ADDRESS READS WRITES REFUSED" */
static char *get_accesses(Object *obj, Error **errp)
{
    HvisorState *s = HVISOR(obj);
    GString *text = g_string_new("");
    unsigned int csr;

    g_hash_table_foreach(s->counts, append_count, text);
    for (csr = 0; csr < NR_CSRS; csr++) {
        if (s->csr_reads[csr] || s->csr_writes[csr]) {
            g_string_append_printf(text, "csr 0x%x %" PRIu64 " %" PRIu64 " 0\n", csr,
                                   qatomic_read(&s->csr_reads[csr]),
                                   qatomic_read(&s->csr_writes[csr]));
        }
    }
    return g_string_free(text, false);
}

/* Writing "" starts anew */
static void set_accesses(Object *obj, const char *value, Error **errp)
{
    HvisorState *s = HVISOR(obj);
    unsigned int csr;

    if (*value) {
        error_setg(errp, "accesses can be emptied only");
        return;
    }
    g_hash_table_remove_all(s->counts);
    for (csr = 0; csr < NR_CSRS; csr++) {
        qatomic_set(&s->csr_reads[csr], 0);
        qatomic_set(&s->csr_writes[csr], 0);
    }
}

static char *get_writes(Object *obj, Error **errp)
{
    return g_strdup(HVISOR(obj)->writes->str);
}

/* What a controller is told when it is set up, and not which interrupts it has */
static bool is_interrupt_setup(int space, hwaddr address)
{
    return space == SPACE_PCH_PIC ||
           ((space == SPACE_IOCSR || space == SPACE_SENT) && address >= IOCSR_EIOINTC &&
            address < IOCSR_EIOINTC_END &&
            (address < IOCSR_STATUS || address >= IOCSR_ROUTES));
}

static void note_write(HvisorState *s, int space, hwaddr address, uint64_t data,
                       unsigned int size)
{
    if (is_interrupt_setup(space, address) && s->writes->len < MAX_WRITES) {
        g_string_append_printf(s->writes, "%s 0x%" PRIx64 " %u 0x%" PRIx64 "\n",
                               space_names[space], address, size, data);
    }
}

/* ------------------------------------------------- the CPU's lines, 3.3, 5.3 */

static void set_lines(HvisorState *s, uint8_t lines)
{
    unsigned int i;

    s->lines = lines;
    for (i = 0; i < NR_TRANSPORTS; i++) {
        unsigned int hwi = TRANSPORT_HWI(i);

        loongarch_cpu_set_irq(LOONGARCH_CPU(s->cs), HWI0 + hwi, lines >> hwi & 1);
    }
}

static void fall_late(void *opaque)
{
    Line *line = opaque;

    set_lines(line->hv, line->hv->lines & ~line->bit);
}

static void drop_lines(HvisorState *s, uint8_t lines)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    unsigned int i;

    if (!s->late_us) {
        set_lines(s, s->lines & ~lines);
        return;
    }
    for (i = 0; i < NR_TRANSPORTS; i++) {
        Line *line = &s->line[i];

        /* The first that drops it decides when: nobody can keep it up */
        if (lines & s->lines & line->bit && !timer_pending(line->fall)) {
            timer_mod(line->fall, now + (int64_t)s->late_us * SCALE_US);
        }
    }
}

static void clear_all(void *opaque)
{
    drop_lines(opaque, 0xff);
}

/* Revision A: a line stays until somebody clears them all */
static void raise_line(HvisorState *s, Line *line)
{
    timer_del(line->fall);
    set_lines(s, (s->is_a && !s->keep_lines ? 0 : s->lines) | line->bit);
    if (s->is_a) {
        timer_mod(s->clear, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + CLEAR_NS);
    }
}

/* A device says what it wants: whenever something is new, too */
static void set_source(void *opaque, int n, int level)
{
    HvisorState *s = opaque;
    Line *line = &s->line[n];

    line->source = level;
    if (level) {
        raise_line(s, line);
    } else if (!s->is_a) {
        drop_lines(s, line->bit);
    }
}

static void status_was_read(HvisorState *s, int transport)
{
    if (s->is_a) {
        drop_lines(s, s->keep_lines ? s->line[transport].bit : 0xff);
    }
}

/* 8.3: the hypervisor itself drops them, at once */
static uint64_t end_of_interrupt(HvisorState *s, uint64_t lines)
{
    unsigned int i;

    set_lines(s, s->lines & ~lines);
    for (i = 0; i < NR_TRANSPORTS; i++) {
        if (s->line[i].source && lines & s->line[i].bit) {
            raise_line(s, &s->line[i]);
        }
    }
    return 0;
}

/* ------------------------------------------------------ registers behind us */

static MemoryRegionSection *part_of(Window *w, hwaddr address)
{
    unsigned int i;

    for (i = 0; i < w->nr_parts; i++) {
        MemoryRegionSection *part = &w->parts[i];
        hwaddr start = part->offset_within_address_space;

        if (address >= start && address - start < int128_get64(part->size)) {
            return part;
        }
    }
    return NULL;
}

static hwaddr within(const MemoryRegionSection *part, hwaddr address)
{
    return part->offset_within_region + address - part->offset_within_address_space;
}

static MemTxResult window_read(void *opaque, hwaddr offset, uint64_t *data,
                               unsigned int size, MemTxAttrs attrs)
{
    Window *w = opaque;
    hwaddr address = w->base + offset;
    MemoryRegionSection *part = part_of(w, address);
    MemTxResult result = MEMTX_OK;

    count_of(w->hv, w->space, address)->reads++;
    *data = 0;
    if (part) {
        result = memory_region_dispatch_read(part->mr, within(part, address), data,
                                             size_memop(size) | MO_LE, attrs);
    }
    if (w->transport >= 0 && offset == TRANSPORT_STATUS) {
        status_was_read(w->hv, w->transport);
    }
    return result;
}

static MemTxResult window_write(void *opaque, hwaddr offset, uint64_t data,
                                unsigned int size, MemTxAttrs attrs)
{
    Window *w = opaque;
    hwaddr address = w->base + offset;
    MemoryRegionSection *part = part_of(w, address);

    count_of(w->hv, w->space, address)->writes++;
    note_write(w->hv, w->space, address, data, size);
    if (!part) {
        return MEMTX_OK;
    }
    return memory_region_dispatch_write(part->mr, within(part, address), data,
                                        size_memop(size) | MO_LE, attrs);
}

static const MemoryRegionOps window_ops = {
    .read_with_attrs = window_read,
    .write_with_attrs = window_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

/* Stand in front of what is at @base now */
static void cover(HvisorState *s, Window *w, int space, hwaddr base, hwaddr size,
                  int transport)
{
    hwaddr at = base;

    w->hv = s;
    w->space = space;
    w->base = base;
    w->transport = transport;
    while (at < base + size && w->nr_parts < MAX_PARTS) {
        MemoryRegionSection part = memory_region_find(get_system_memory(), at,
                                                      base + size - at);

        if (!part.mr) {
            break;
        }
        w->parts[w->nr_parts++] = part;
        at = part.offset_within_address_space + int128_get64(part.size);
    }
    memory_region_init_io(&w->region, OBJECT(s), &window_ops, w, space_names[space],
                          size);
    memory_region_add_subregion_overlap(get_system_memory(), base, &w->region, 1);
}

/* 3.2: what the hypervisor keeps for itself, and the root zone */
static bool is_refused(HvisorState *s, hwaddr address)
{
    if (s->iocsr_limit && address >= s->iocsr_limit) {
        return true;
    }
    if (address == IOCSR_IPI_SEND) {
        return s->lose_ipis;
    }
    if (!s->filter || !s->zone) {
        return false;
    }
    return (address >= 0x14a0 && address < 0x14c0) ||
           (address >= 0x1600 && address < 0x1620) ||
           (address >= 0x1680 && address < 0x16a0) ||
           (address >= IOCSR_ROUTES && address < IOCSR_ROUTES + IOCSR_VECTORS);
}

/* The register itself. Some access others in turn, behind the hypervisor's back. */
static MemTxResult pass(HvisorState *s, hwaddr address, MemTxAttrs attrs, uint8_t *bytes,
                        unsigned int size, bool write)
{
    MemTxResult result;

    s->iocsr_depth++;
    result = address_space_rw(&s->board->as_iocsr, address, attrs, bytes, size, write);
    s->iocsr_depth--;
    return result;
}

/* Whether the hypervisor itself says what the zone reads */
static bool is_answered(HvisorState *s, hwaddr address, uint64_t *data)
{
    Count *count = count_of(s, SPACE_IOCSR, address);

    count->reads++;
    *data = 0;
    if (s->iocsr_limit && address >= s->iocsr_limit) {
        count->refused++;
        return true;
    }
    if (address == IOCSR_FEATURES) {
        *data = s->iocsr_features;
    }
    return *data;
}

static MemTxResult iocsr_read(void *opaque, hwaddr address, uint64_t *data,
                              unsigned int size, MemTxAttrs attrs)
{
    HvisorState *s = opaque;
    uint8_t bytes[8] = { 0 };
    MemTxResult result;

    if (!s->iocsr_depth && is_answered(s, address, data)) {
        return MEMTX_OK;
    }
    result = pass(s, address, attrs, bytes, size, false);
    *data = ldn_le_p(bytes, size);
    return result;
}

/* 3.2: what one core sends to another's registers (0x1158) is not filtered */
static MemTxResult iocsr_write(void *opaque, hwaddr address, uint64_t data,
                               unsigned int size, MemTxAttrs attrs)
{
    HvisorState *s = opaque;
    int space = s->iocsr_depth ? SPACE_SENT : SPACE_IOCSR;
    Count *count = count_of(s, space, address);
    uint8_t bytes[8];

    count->writes++;
    note_write(s, space, address, data, size);
    if (space == SPACE_IOCSR && is_refused(s, address)) {
        count->refused++;
        return MEMTX_OK;
    }
    stn_le_p(bytes, size, data);
    return pass(s, address, attrs, bytes, size, true);
}

static const MemoryRegionOps iocsr_ops = {
    .read_with_attrs = iocsr_read,
    .write_with_attrs = iocsr_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

static void set_iocsr(HvisorState *s, hwaddr address, uint32_t word)
{
    address_space_stl_le(&s->board->as_iocsr, address, word, MEMTXATTRS_UNSPECIFIED,
                         NULL);
}

static void set_iocsr_byte(HvisorState *s, hwaddr address, uint8_t byte)
{
    uint32_t word = address_space_ldl_le(&s->board->as_iocsr, address & ~3,
                                         MEMTXATTRS_UNSPECIFIED, NULL);

    set_iocsr(s, address & ~3, deposit32(word, (address & 3) * 8, 8, byte));
}

/*
 * 3.2: the root zone has set up the EIOINTC, and the hypervisor has routed the zone's
 * vectors to its first CPU; they are enabled.
 */
static void set_up_vectors(HvisorState *s)
{
    unsigned int i;

    for (i = 0; i < 2; i++) {
        set_iocsr(s, IOCSR_LINES + 4 * i, 0x01010101 << EIOINTC_HWI);
    }
    for (i = s->first_vector; i < s->first_vector + s->nr_vectors; i++) {
        hwaddr enable = IOCSR_ENABLE + i / 8;
        uint32_t word = address_space_ldl_le(&s->board->as_iocsr, enable & ~3,
                                             MEMTXATTRS_UNSPECIFIED, NULL);

        set_iocsr_byte(s, IOCSR_ROUTES + i, 1 << s->cpu);
        set_iocsr(s, enable & ~3, word | BIT(i % 32));
    }
}

static void state_changed(void *opaque, bool running, RunState state)
{
    HvisorState *s = opaque;

    if (running && !s->is_set_up && s->zone) {
        set_up_vectors(s);
    }
    s->is_set_up |= running;
}

/* ------------------------------------------------------- hypercalls, 4 and 8 */

static uint64_t store(uint64_t address, const void *data, size_t size)
{
    MemTxResult result = address_space_write(&address_space_memory, address,
                                             MEMTXATTRS_UNSPECIFIED, data, size);

    return result == MEMTX_OK ? 0 : -EFAULT;
}

static uint64_t store_u64(uint64_t address, uint64_t value)
{
    uint64_t word = cpu_to_le64(value);

    return store(address, &word, sizeof(word));
}

/* 4.3 */
static uint64_t list_zones(HvisorState *s, uint64_t address, uint64_t entries)
{
    struct {
        uint32_t id, pad;
        uint64_t cpus;
        char name[32];
        uint8_t is_err, tail[7];
    } info = {
        .id = cpu_to_le32(s->zone),
        .cpus = cpu_to_le64(BIT_ULL(s->cpu)),
    };

    if (!entries) {
        return 0;
    }
    snprintf(info.name, sizeof(info.name), "zone%u", s->zone);
    return store(address, &info, sizeof(info)) ?: 1;
}

static uint64_t guest_info(HvisorState *s, uint64_t which)
{
    switch (which) {
    case 0:
        return 1;
    case 1:
        return s->services;
    case 2:
        return (uint64_t)s->zone + 1;
    case 3:
        return MACHINE(s->board)->smp.cpus;
    default:
        return 0;
    }
}

static void raise_swi(CPUState *cs, run_on_cpu_data data)
{
    loongarch_cpu_set_irq(LOONGARCH_CPU(cs), SWI0, 1);
}

static uint64_t send_ipis(HvisorState *s, uint64_t cores, uint64_t first)
{
    for (; cores; cores &= cores - 1) {
        CPUState *cs = qemu_get_cpu(first + ctz64(cores));

        if (!cs) {
            return -EINVAL;
        }
        async_run_on_cpu(cs, raise_swi, RUN_ON_CPU_NULL);
    }
    return 0;
}

static void end_wait(void *opaque)
{
    HvisorState *s = opaque;

    s->cs->halted = 0;
    qemu_cpu_kick(s->cs);
}

/* Only the zone's first CPU can have a deadline, of the counter */
static uint64_t wait_for_interrupt(HvisorState *s, CPUState *cs, uint64_t deadline)
{
    if (cs == s->cs) {
        timer_del(s->wake);
    } else if (deadline) {
        return -EINVAL;
    }
    if (deadline) {
        timer_mod(s->wake, MIN(deadline, INT64_MAX / COUNTER_NS) * COUNTER_NS);
    }
    cs->halted = 1;
    return 0;
}

static uint64_t control_zone(HvisorState *s, uint64_t operation)
{
    switch (operation) {
    case 0:
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
        return 0;
    case 1:
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        return 0;
    case 2:
        return 0;
    default:
        return -EINVAL;
    }
}

static uint64_t print_character(HvisorState *s, uint64_t character)
{
    uint8_t byte = character;

    qemu_chr_fe_write_all(&s->console, &byte, 1);
    return 0;
}

static uint64_t route(HvisorState *s, uint64_t vector, uint64_t core)
{
    if (vector < s->first_vector || vector - s->first_vector >= s->nr_vectors ||
        core >= ROUTED_CORES) {
        return -EINVAL;
    }
    set_iocsr_byte(s, IOCSR_ROUTES + vector, 1 << core);
    return 0;
}

static uint64_t tell_time(HvisorState *s, uint64_t address)
{
    struct {
        uint32_t sequence, reserved;
        uint64_t counter, stolen;
    } info = {
        .counter = cpu_to_le64(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) / COUNTER_NS),
    };

    /* It changes no more: nothing is ever stolen here */
    return address ? store(address, &info, sizeof(info)) : 0;
}

static uint64_t make_service(HvisorState *s, CPUState *cs, uint64_t code, uint64_t arg0,
                             uint64_t arg1)
{
    switch (code) {
    case CALL_IRQ_EOI:
        return end_of_interrupt(s, arg0);
    case CALL_IPI_SEND:
        return send_ipis(s, arg0, arg1);
    case CALL_WAIT:
        return wait_for_interrupt(s, cs, arg0);
    case CALL_ZONE_CTRL:
        return control_zone(s, arg0);
    case CALL_DEBUG_PUTC:
        return print_character(s, arg0);
    case CALL_IRQ_ROUTE:
        return route(s, arg0, arg1);
    default:
        return tell_time(s, arg0);
    }
}

/*
 * 0 where the hypervisor does not know the call, as where there is nothing to say.
 * Refused are these, and those of the root zone.
 */
static uint64_t answer(HvisorState *s, CPUState *cs, uint64_t code, uint64_t arg0,
                       uint64_t arg1, bool *refused)
{
    switch (code) {
    case CALL_VIRTIO_INIT:
    case CALL_VIRTIO_INJECT:
    case CALL_ZONE_START:
    case CALL_ZONE_SHUTDOWN:
        *refused = s->zone;
        return s->zone ? -EPERM : 0;
    case CALL_IVC_INFO:
        return 0;
    case CALL_ZONE_LIST:
        return list_zones(s, arg0, arg1);
    case CALL_CONFIG_CHECK:
        return store_u64(arg0, s->is_a ? 5 : 6);
    case CALL_SET_BOOT_MODE:
    case CALL_VIRTIO_DEASSERT:
        *refused = s->is_a || s->zone;
        if (*refused) {
            return s->is_a ? 0 : -EPERM;
        }
        if (code == CALL_VIRTIO_DEASSERT && arg0 == s->zone && arg1 >= HWI0 &&
            arg1 < HWI0 + 8) {
            drop_lines(s, BIT(arg1 - HWI0));
        }
        return 0;
    case CALL_GET_ECAM_BASE:
        *refused = s->is_a;
        return *refused ? 0 : store_u64(arg0, ECAM_BASE);
    case CALL_CLEAR_INJECT:
        *refused = !s->is_a;
        if (!*refused) {
            drop_lines(s, 0xff);
        }
        return 0;
    case CALL_GUEST_INFO:
        *refused = !s->services;
        return *refused ? 0 : guest_info(s, arg0);
    case CALL_IRQ_EOI ... CALL_TIME_INFO:
        *refused = !(s->services & BIT(code - CALL_IRQ_EOI));
        return *refused ? 0 : make_service(s, cs, code, arg0, arg1);
    default:
        *refused = true;
        return 0;
    }
}

static uint64_t call(LoongArchHypervisor *hv, CPUState *cs, uint64_t code, uint64_t arg0,
                     uint64_t arg1)
{
    HvisorState *s = container_of(hv, HvisorState, ops);
    Count *count = count_of(s, SPACE_CALL, code);
    bool refused = false;
    uint64_t result = answer(s, cs, code, arg0, arg1, &refused);

    count->writes++;
    count->refused += refused;
    return result;
}

static uint32_t cpucfg(LoongArchHypervisor *hv, uint64_t index)
{
    HvisorState *s = container_of(hv, HvisorState, ops);
    uint32_t word = 0;

    if (index == 0x40000000 && s->signature) {
        memcpy(&word, s->signature, strlen(s->signature));
        return le32_to_cpu(word);
    }
    return index == 0x40000004 ? s->pv_features : 0;
}

/* 2.2: it returns at once. 2.5, T1: with an interrupt of the timer. */
static bool idle(LoongArchHypervisor *hv, CPUState *cs)
{
    HvisorState *s = container_of(hv, HvisorState, ops);

    count_of(s, SPACE_IDLE, 0)->writes++;
    if (s->timer_on_idle) {
        loongarch_cpu_set_irq(LOONGARCH_CPU(cs), IRQ_TIMER, 1);
    }
    return s->idle_returns;
}

static void make_noise(void *opaque)
{
    HvisorState *s = opaque;

    loongarch_cpu_set_irq(LOONGARCH_CPU(s->cs), IRQ_TIMER, 1);
    timer_mod(s->noise, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                        NANOSECONDS_PER_SECOND / s->noise_hz);
}

/* ----------------------------------------------------------------- the device */

static bool check_properties(HvisorState *s, Error **errp)
{
    if (!s->board || !tcg_enabled()) {
        error_setg(errp, "hvisor needs the LoongArch machine \"virt\" and TCG");
    } else if (strcmp(s->revision, "a") && strcmp(s->revision, "b")) {
        error_setg(errp, "revision '%s' is neither a nor b", s->revision);
    } else if (s->signature && strlen(s->signature) > 4) {
        error_setg(errp, "signature '%s' has more than 4 characters", s->signature);
    } else if (s->services & ~ALL_SERVICES) {
        error_setg(errp, "services 0x%x: there are 0x%x", s->services, ALL_SERVICES);
    } else if (!qemu_get_cpu(s->cpu)) {
        error_setg(errp, "cpu %u: the machine has %u", s->cpu, current_machine->smp.cpus);
    } else if (s->zone && s->cpu >= ROUTED_CORES) {
        error_setg(errp, "cpu %u: vectors are routed to cores 0 to %u", s->cpu,
                   ROUTED_CORES - 1);
    } else if (s->noise_hz > 1000000) {
        error_setg(errp, "timer-noise %u is more than a million a second", s->noise_hz);
    } else if (s->first_vector >= IOCSR_VECTORS ||
               s->nr_vectors > IOCSR_VECTORS - s->first_vector) {
        error_setg(errp, "vectors %u from %u on: there are %u", s->nr_vectors,
                   s->first_vector, IOCSR_VECTORS);
    } else {
        return true;
    }
    return false;
}

static bool add_transport(HvisorState *s, int i, Error **errp)
{
    DeviceState *dev = qdev_new("virtio-mmio");
    SysBusDevice *sbd = SYS_BUS_DEVICE(dev);

    qdev_prop_set_bit(dev, "force-legacy", false);
    if (!sysbus_realize_and_unref(sbd, errp)) {
        return false;
    }
    sysbus_mmio_map(sbd, 0, TRANSPORT_BASE(i));
    sysbus_connect_irq(sbd, 0, qdev_get_gpio_in(DEVICE(s), i));
    cover(s, &s->transports[i], SPACE_VIRTIO, TRANSPORT_BASE(i), TRANSPORT_SIZE, i);
    return true;
}

static void set_uart(void *opaque, int n, int level)
{
    HvisorState *s = opaque;

    qemu_set_irq(s->uart_lines[0], level);
    qemu_set_irq(s->uart_lines[1], level);
}

/* 1.6: the board's LIOINTC, with UART0, which stays at the PCH PIC, too */
static bool add_liointc(HvisorState *s, Error **errp)
{
    DeviceState *dev = qdev_new(TYPE_LOONGSON_LIOINTC);
    SysBusDevice *sbd = SYS_BUS_DEVICE(dev);
    MemoryRegionSection uart = memory_region_find(get_system_memory(), UART0_BASE, 1);
    SysBusDevice *port;
    int core;

    if (!sysbus_realize_and_unref(sbd, errp)) {
        return false;
    }
    sysbus_mmio_map(sbd, 0, LIOINTC_BASE);
    for (core = 0; core < LIOINTC_CORES && qemu_get_cpu(core); core++) {
        sysbus_connect_irq(sbd, core * LIOINTC_LINES + LIOINTC_HWI,
                           /* After SWI0 and SWI1 */
                           qdev_get_gpio_in(DEVICE(qemu_get_cpu(core)),
                                            2 + LIOINTC_HWI));
    }

    port = SYS_BUS_DEVICE(memory_region_owner(uart.mr));
    memory_region_unref(uart.mr);
    s->uart_lines[0] = sysbus_get_connected_irq(port, 0);
    s->uart_lines[1] = qdev_get_gpio_in(dev, LIOINTC_UART0);
    sysbus_connect_irq(port, 0, qemu_allocate_irq(set_uart, s, 0));
    cover(s, &s->liointc, SPACE_LIOINTC, LIOINTC_BASE, LIOINTC_SIZE, -1);

    return true;
}

static void stand_beside_cpus(HvisorState *s)
{
    CPUState *cs;

    s->ops = (LoongArchHypervisor) {
        .call = call, .cpucfg = cpucfg, .idle = idle, .csr = count_csr,
        .hide_cpuid = s->hide_cpuid,
    };
    memory_region_init_io(&s->iocsr_region, OBJECT(s), &iocsr_ops, s, "hvisor-iocsr",
                          UINT64_MAX);
    /* One CPU's mail to another is an access that an access makes */
    s->iocsr_region.disable_reentrancy_guard = true;
    address_space_init(&s->iocsr, &s->iocsr_region, "hvisor-iocsr");
    CPU_FOREACH(cs) {
        CPULoongArchState *env = cpu_env(cs);

        env->hypervisor = &s->ops;
        env->address_space_iocsr = &s->iocsr;
    }
}

static void hvisor_realize(DeviceState *dev, Error **errp)
{
    HvisorState *s = HVISOR(dev);
    int i;

    s->board = (void *)object_dynamic_cast(qdev_get_machine(),
                                           TYPE_LOONGARCH_VIRT_MACHINE);
    if (!check_properties(s, errp)) {
        return;
    }
    s->is_a = s->revision[0] == 'a';
    s->cs = qemu_get_cpu(s->cpu);
    s->clear = timer_new_ns(QEMU_CLOCK_VIRTUAL, clear_all, s);
    s->wake = timer_new_ns(QEMU_CLOCK_VIRTUAL, end_wait, s);
    s->noise = timer_new_ns(QEMU_CLOCK_VIRTUAL, make_noise, s);

    qdev_init_gpio_in(dev, set_source, NR_TRANSPORTS);
    for (i = 0; i < NR_TRANSPORTS; i++) {
        s->line[i].hv = s;
        s->line[i].bit = BIT(TRANSPORT_HWI(i));
        s->line[i].fall = timer_new_ns(QEMU_CLOCK_VIRTUAL, fall_late, &s->line[i]);
        if (!add_transport(s, i, errp)) {
            return;
        }
    }
    if (!add_liointc(s, errp)) {
        return;
    }
    cover(s, &s->pch_pic, SPACE_PCH_PIC, PCH_PIC_BASE, PCH_PIC_SIZE, -1);
    stand_beside_cpus(s);
    qemu_add_vm_change_state_handler(state_changed, s);
    if (s->noise_hz) {
        make_noise(s);
    }
}

static void hvisor_init(Object *obj)
{
    HvisorState *s = HVISOR(obj);

    s->revision = g_strdup("b");
    s->counts = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    s->writes = g_string_new("");
    object_property_add_str(obj, "accesses", get_accesses, set_accesses);
    object_property_add_str(obj, "writes", get_writes, NULL);
}

static const Property hvisor_properties[] = {
    DEFINE_PROP_STRING("revision", HvisorState, revision),
    /* Of the zone, and the first CPU that it has */
    DEFINE_PROP_UINT32("zone", HvisorState, zone, 1),
    DEFINE_PROP_UINT32("cpu", HvisorState, cpu, 0),
    DEFINE_PROP_BOOL("hide-cpuid", HvisorState, hide_cpuid, false),
    /* 8.3: bits of what is proposed; 8.1 */
    DEFINE_PROP_UINT32("services", HvisorState, services, 0),
    DEFINE_PROP_STRING("signature", HvisorState, signature),
    DEFINE_PROP_UINT32("pv-features", HvisorState, pv_features, 0),
    /* 2.3: what IOCSR 0x8 reads, 0 for what it is; where IOCSRs end, 0 for nowhere */
    DEFINE_PROP_UINT32("iocsr-features", HvisorState, iocsr_features, 0),
    DEFINE_PROP_UINT32("iocsr-limit", HvisorState, iocsr_limit, IOCSR_LIMIT),
    /* 3.2 */
    DEFINE_PROP_BOOL("filter", HvisorState, filter, true),
    DEFINE_PROP_UINT32("first-vector", HvisorState, first_vector, 112),
    DEFINE_PROP_UINT32("vectors", HvisorState, nr_vectors, 48),
    /* 3.3: on: with revision A, a line leaves the others alone */
    DEFINE_PROP_BOOL("keep-lines", HvisorState, keep_lines, false),
    DEFINE_PROP_UINT32("late", HvisorState, late_us, 0),
    /* 3.4 */
    DEFINE_PROP_BOOL("lose-ipis", HvisorState, lose_ipis, false),
    /* 2.2, 2.5 */
    DEFINE_PROP_BOOL("idle-returns", HvisorState, idle_returns, true),
    DEFINE_PROP_BOOL("timer-on-idle", HvisorState, timer_on_idle, false),
    DEFINE_PROP_UINT32("timer-noise", HvisorState, noise_hz, 0),
    DEFINE_PROP_CHR("console", HvisorState, console),
};

static void hvisor_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Zone of the hvisor hypervisor";
    dc->realize = hvisor_realize;
    dc->user_creatable = true;
    dc->hotpluggable = false;
    device_class_set_props(dc, hvisor_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo hvisor_info = {
    .name = TYPE_HVISOR,
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(HvisorState),
    .instance_init = hvisor_init,
    .class_init = hvisor_class_init,
};

static void hvisor_register(void)
{
    type_register_static(&hvisor_info);
}

type_init(hvisor_register)
