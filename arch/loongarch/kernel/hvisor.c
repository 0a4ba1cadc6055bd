// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux in a zone of the hvisor hypervisor
 *
 * The device tree tells that this is a zone, or a signature that is proposed. The
 * CPU looks like the board's own otherwise, and a hypercall is an undefined
 * instruction where there is no hypervisor.
 * cpu_has_hypervisor stays false, as it makes the kernel expect what KVM has.
 * See Documentation/arch/loongarch/hvisor.rst
 */
#define pr_fmt(fmt) "hvisor: " fmt

#include <kunit/test-bug.h>
#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/console.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/kvm_para.h>
#include <linux/limits.h>
#include <linux/notifier.h>
#include <linux/of.h>
#include <linux/panic_notifier.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/reboot.h>
#include <linux/serial_core.h>
#include <linux/smp.h>
#include <linux/sysfs.h>

#include <asm/hardirq.h>
#include <asm/hvisor.h>
#include <asm/loongarch.h>

/* The newest one that we know */
#define LAST_ABI		3
/* That of a hypervisor with a signature */
#define SIGNATURE_ABI		3
/* KVM has its signature there, too */
#define CPUCFG_SIGNATURE	0x40000000
#define HVISOR_SIGNATURE	0x52535648	/* "HVSR" */
/* No zone's number: calls of the root zone are refused */
#define UNKNOWN_ZONE		U32_MAX
#define ALL_FEATURES		(HVISOR_FEATURE_IRQ_EOI | HVISOR_FEATURE_IPI_SEND |	\
				 HVISOR_FEATURE_WAIT | HVISOR_FEATURE_ZONE_CTRL |	\
				 HVISOR_FEATURE_DEBUG_PUTC | HVISOR_FEATURE_IRQ_ROUTE |	\
				 HVISOR_FEATURE_TIME_INFO)

struct hvisor_zone {
	/* 0: no calls are made */
	u32 abi;
	u32 id;
	u32 features;
	u64 version;
};

DEFINE_STATIC_KEY_FALSE(hvisor_key);
DEFINE_STATIC_KEY_FALSE(hvisor_wait_key);

static struct hvisor_zone this_zone __ro_after_init;
static bool is_ignored __initdata;

/*
 * Not KUnit's static stubs: they take a lock which sleeps with PREEMPT_RT, and
 * calls are made with interrupts disabled.
 */
#if IS_ENABLED(CONFIG_KUNIT)
static const struct hvisor_fake *fake_of_test;

void hvisor_set_fake(const struct hvisor_fake *fake)
{
	WRITE_ONCE(fake_of_test, fake);
}

static const struct hvisor_fake *hvisor_fake(void)
{
	const struct hvisor_fake *fake = READ_ONCE(fake_of_test);

	return fake && fake->test == kunit_get_current_test() ? fake : NULL;
}
#else
static const struct hvisor_fake *hvisor_fake(void)
{
	return NULL;
}
#endif

static int __init parse_nohvisor(char *arg)
{
	is_ignored = true;

	return 0;
}
early_param("nohvisor", parse_nohvisor);

static __always_inline long make_hypercall(unsigned int code, u64 arg0, u64 arg1)
{
	register u64 a0 asm("a0") = code;
	register u64 a1 asm("a1") = arg0;
	register u64 a2 asm("a2") = arg1;

	asm volatile("hvcl 0" : "+r" (a0) : "r" (a1), "r" (a2) : "memory");

	return a0;
}

/* Whether @zone has the call, and may make it: 0 or an error */
static int check_call(const struct hvisor_zone *zone, unsigned int code)
{
	if (!zone->abi)
		return -ENODEV;

	switch (code) {
	case HVISOR_CALL_SET_BOOT_MODE:
	case HVISOR_CALL_VIRTIO_DEASSERT:
		if (zone->abi < 2)
			return -EOPNOTSUPP;
		fallthrough;
	case HVISOR_CALL_VIRTIO_INIT:
	case HVISOR_CALL_VIRTIO_INJECT:
	case HVISOR_CALL_ZONE_START:
	case HVISOR_CALL_ZONE_SHUTDOWN:
		return zone->id ? -EPERM : 0;
	case HVISOR_CALL_ZONE_LIST:
	case HVISOR_CALL_IVC_INFO:
	case HVISOR_CALL_CONFIG_CHECK:
		return 0;
	case HVISOR_CALL_GUEST_INFO:
		return zone->abi < 3 ? -EOPNOTSUPP : 0;
	case HVISOR_CALL_IRQ_EOI ... HVISOR_CALL_TIME_INFO:
		return zone->features & BIT(code - HVISOR_CALL_IRQ_EOI) ? 0 : -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

static long zone_call(const struct hvisor_zone *zone, unsigned int code, u64 arg0, u64 arg1)
{
	long ret = check_call(zone, code);

	if (ret)
		return ret;

	ret = make_hypercall(code, arg0, arg1);

	return ret < -MAX_ERRNO ? -EIO : ret;
}

/**
 * hvisor_call() - Call the hypervisor
 * @code: number of the call, one of HVISOR_CALL_...
 * @arg0: its first argument; an address is physical
 * @arg1: its second argument
 *
 * A call that this zone may not make, or that its hypervisor doesn't have, is
 * refused here: the hypervisor panics at some, and says 0 to those that it does
 * not know.
 *
 * Context: Any, but not one that may interrupt another call, as an NMI: the
 * hypervisor takes locks. It may take long.
 * Return: the hypervisor's result, 0 or more; an error of it; -ENODEV if this is
 * no zone, or one whose calls are unknown, -EOPNOTSUPP if the hypervisor does
 * not have the call, -EPERM if only the root zone has it, -EINVAL if it is
 * none, -EIO if the result is no error number. Only a result other than 0 tells
 * that the hypervisor knows the call.
 */
long hvisor_call(unsigned int code, u64 arg0, u64 arg1)
{
	if (hvisor_fake())
		return hvisor_fake()->call(code, arg0, arg1);

	if (!hvisor_guest())
		return -ENODEV;

	return zone_call(&this_zone, code, arg0, arg1);
}
EXPORT_SYMBOL_GPL(hvisor_call);

/**
 * hvisor_has_feature() - Does the hypervisor have something to offer?
 * @feature: one of HVISOR_FEATURE_...
 *
 * Context: Any.
 * Return: false as well if this is no zone.
 */
bool hvisor_has_feature(u32 feature)
{
	if (hvisor_fake())
		return hvisor_fake()->features & feature;

	return hvisor_guest() && this_zone.features & feature;
}

/**
 * hvisor_is_nonroot() - Is this a zone that has devices of its own only?
 *
 * Context: Any.
 * Return: true in each zone but the root zone; false if this is no zone.
 */
bool hvisor_is_nonroot(void)
{
	if (hvisor_fake())
		return hvisor_fake()->is_nonroot;

	return hvisor_guest() && this_zone.id;
}

/* Fill @zone with what its device tree says of it */
static void read_zone(const struct device_node *np, struct hvisor_zone *zone)
{
	*zone = (struct hvisor_zone){ .id = UNKNOWN_ZONE };

	if (of_property_read_u32(np, "syswonder,zone-id", &zone->id))
		pr_warn("%pOF has no syswonder,zone-id\n", np);

	if (of_property_read_u32(np, "syswonder,hypercall-abi", &zone->abi)) {
		pr_warn("%pOF has no syswonder,hypercall-abi, no calls are made\n", np);
	} else if (!zone->abi || zone->abi > LAST_ABI) {
		pr_warn("syswonder,hypercall-abi %u is unknown, no calls are made\n", zone->abi);
		zone->abi = 0;
	}
	/* Before the first call, which stops a machine without a hypervisor */
	pr_info("zone %d, ABI %u\n", zone->id, zone->abi);
}

/* Is somebody there? Unlike 0, which any call may have, a version is an answer */
static void check_version(struct hvisor_zone *zone)
{
	/* Not on the stack, which need not be linearly mapped */
	static u64 version;
	long ret;

	if (!zone->abi)
		return;

	version = 0;
	ret = zone_call(zone, HVISOR_CALL_CONFIG_CHECK, __pa(&version), 0);
	zone->version = READ_ONCE(version);
	if (!ret && zone->version)
		return;

	pr_warn("no answer to a call (%ld, %llu), no others are made\n", ret, zone->version);
	zone->abi = 0;
}

static void read_features(const struct device_node *np, struct hvisor_zone *zone)
{
	u32 allowed = ALL_FEATURES;
	long features, id;

	if (zone_call(zone, HVISOR_CALL_GUEST_INFO, HVISOR_INFO_VERSION, 0) != 1)
		return;

	id = zone_call(zone, HVISOR_CALL_GUEST_INFO, HVISOR_INFO_ZONE, 0);
	if (!np && id > 0 && id <= UNKNOWN_ZONE) {
		zone->id = id - 1;
	} else if (id > 0 && id - 1 != zone->id) {
		pr_warn("the hypervisor says zone %ld, the device tree %d\n", id - 1, zone->id);
		/* Not the root zone, unless both say so */
		zone->id = UNKNOWN_ZONE;
	}

	if (of_property_present(np, "syswonder,features") &&
	    of_property_read_u32(np, "syswonder,features", &allowed)) {
		pr_warn("%pOF: syswonder,features is no number, none are used\n", np);
		allowed = 0;
	}
	features = zone_call(zone, HVISOR_CALL_GUEST_INFO, HVISOR_INFO_FEATURES, 0);
	if (features > 0)
		zone->features = features & allowed & ALL_FEATURES;
}

static bool has_signature(void)
{
	if (hvisor_fake())
		return hvisor_fake()->has_signature;

	return read_cpucfg(CPUCFG_SIGNATURE) == HVISOR_SIGNATURE;
}

/* @np is the node of a hypervisor, NULL if there is none */
static bool find_zone(const struct device_node *np, struct hvisor_zone *zone)
{
	if (!np && has_signature()) {
		*zone = (struct hvisor_zone){ .abi = SIGNATURE_ABI, .id = UNKNOWN_ZONE };
		pr_info("found by its signature\n");
	} else if (of_device_is_compatible(np, "syswonder,hvisor") && of_device_is_available(np)) {
		read_zone(np, zone);
	} else {
		return false;
	}

	check_version(zone);
	read_features(np, zone);

	return true;
}

#ifdef CONFIG_SERIAL_EARLYCON
static bool earlycon_is_wanted __initdata;

static void print_character(char c)
{
	hvisor_call(HVISOR_CALL_DEBUG_PUTC, (unsigned char)c, 0);
}

static void earlycon_write(struct console *con, const char *text, unsigned int length)
{
	for (; length; length--, text++) {
		if (*text == '\n')
			print_character('\r');
		print_character(*text);
	}
}

static int __init earlycon_setup(struct earlycon_device *device, const char *options)
{
	if (!hvisor_has_feature(HVISOR_FEATURE_DEBUG_PUTC)) {
		/* The command line is read before the hypervisor is asked */
		earlycon_is_wanted = true;
		return -EALREADY;
	}

	device->con->write = earlycon_write;

	return 0;
}

EARLYCON_DECLARE(hvisor, earlycon_setup);

static void __init start_earlycon(void)
{
	char name[] = "hvisor";

	if (!earlycon_is_wanted)
		return;

	if (hvisor_has_feature(HVISOR_FEATURE_DEBUG_PUTC))
		setup_earlycon(name);
	else
		pr_warn("earlycon=hvisor: the hypervisor prints nothing\n");
}
#else
static void __init start_earlycon(void)
{
}
#endif

/**
 * hvisor_early_init() - Find out whether this is a zone of hvisor
 *
 * Context: At boot, as soon as there is a device tree and static keys can be
 * changed.
 */
void __init hvisor_early_init(void)
{
	struct device_node *np __free(device_node) = of_find_node_by_path("/hypervisor");

	if (is_ignored || !find_zone(np, &this_zone))
		return;

	static_branch_enable(&hvisor_key);
	pr_info("configuration %llu, features %#x\n", this_zone.version, this_zone.features);
	start_earlycon();
}

/**
 * hvisor_wait() - Wait for an interrupt
 *
 * Context: The idle task, with interrupts disabled. The hypervisor returns when
 * one is pending. If it returns at once, the idle task polls.
 */
void __cpuidle hvisor_wait(void)
{
	make_hypercall(HVISOR_CALL_WAIT, 0, 0);
}

/* The idle instruction traps and doesn't wait */
static int __init poll_or_wait_when_idle(void)
{
	if (hvisor_has_feature(HVISOR_FEATURE_WAIT))
		static_branch_enable(&hvisor_wait_key);
	else if (hvisor_guest())
		cpu_idle_poll_ctrl(true);

	return 0;
}
early_initcall(poll_or_wait_when_idle);

#ifdef CONFIG_SMP
static struct smp_ops native_ops;

/* Even if there is an action already: somebody may have cleared ESTAT */
static void leave_action(int cpu, unsigned int action)
{
	atomic_or(BIT(action), &per_cpu(irq_stat, cpu).message);
}

/* With one call for all of @cores, one bit each; or natively, if it fails */
static void send_ipi_by_call(u64 cores, unsigned int action)
{
	u64 left;

	for (left = cores; left; left &= left - 1)
		leave_action(cpu_number_map(__ffs64(left)), action);
	/* Whoever is interrupted is to see it */
	smp_mb();

	if (hvisor_call(HVISOR_CALL_IPI_SEND, cores, 0) >= 0)
		return;

	for (left = cores; left; left &= left - 1)
		native_ops.send_ipi_single(cpu_number_map(__ffs64(left)), action);
}

/*
 * An IPI that a CPU sends to itself is lost with ABI 1, and irq_work with it. It
 * traps with the others. SWI0 is the CPU's own.
 */
static void hvisor_send_ipi_mask(const struct cpumask *mask, unsigned int action)
{
	bool by_call = action != ACTION_BOOT_CPU && hvisor_has_feature(HVISOR_FEATURE_IPI_SEND);
	u64 cores = 0;
	int cpu;

	guard(preempt)();
	for_each_cpu(cpu, mask) {
		if (cpu == smp_processor_id() && action != ACTION_BOOT_CPU) {
			leave_action(cpu, action);
			set_csr_estat(BIT(INT_SWI0));
		} else if (by_call && cpu_logical_map(cpu) < BITS_PER_TYPE(cores)) {
			cores |= BIT_ULL(cpu_logical_map(cpu));
		} else {
			native_ops.send_ipi_single(cpu, action);
		}
	}

	if (cores)
		send_ipi_by_call(cores, action);
}

static void hvisor_send_ipi_single(int cpu, unsigned int action)
{
	hvisor_send_ipi_mask(cpumask_of(cpu), action);
}

static void hvisor_init_ipi(void)
{
	native_ops.init_ipi();
	loongson_init_swi_ipi();
}

/**
 * hvisor_ipi_init() - Let the CPUs of a zone interrupt themselves
 *
 * Context: At boot, before init_IRQ().
 */
void __init hvisor_ipi_init(void)
{
	/* With both, which nobody has, SWI0 is KVM's */
	if (!hvisor_guest() || kvm_para_has_feature(KVM_FEATURE_IPI))
		return;

	native_ops = mp_ops;
	mp_ops.init_ipi = hvisor_init_ipi;
	mp_ops.send_ipi_single = hvisor_send_ipi_single;
	mp_ops.send_ipi_mask = hvisor_send_ipi_mask;
}
#endif /* CONFIG_SMP */

/* If it returns, the next handler may do it */
static int end_zone(struct sys_off_data *data)
{
	bool restart = data->mode == SYS_OFF_MODE_RESTART;
	long ret = zone_call(data->cb_data, HVISOR_CALL_ZONE_CTRL,
			     restart ? HVISOR_ZONE_RESTART : HVISOR_ZONE_POWER_OFF, 0);

	pr_warn("the zone doesn't %s: %ld\n", restart ? "restart" : "stop", ret);

	return NOTIFY_DONE;
}

static void __init register_end_zone(enum sys_off_mode mode)
{
	struct sys_off_handler *handler;

	handler = register_sys_off_handler(mode, SYS_OFF_PRIO_FIRMWARE, end_zone, &this_zone);
	if (IS_ERR(handler))
		pr_warn("no handler to stop or restart the zone: %pe\n", handler);
}

static int tell_of_panic(struct notifier_block *nb, unsigned long event, void *data)
{
	hvisor_call(HVISOR_CALL_ZONE_CTRL, HVISOR_ZONE_PANIC, 0);

	return NOTIFY_DONE;
}

/* After those that save what there is: the hypervisor may stop the zone */
static struct notifier_block panic_block = {
	.notifier_call	= tell_of_panic,
	.priority	= INT_MIN,
};

static int __init hvisor_sys_off_init(void)
{
	/* The root zone stops and restarts the board */
	if (!hvisor_is_nonroot() || !hvisor_has_feature(HVISOR_FEATURE_ZONE_CTRL))
		return 0;

	register_end_zone(SYS_OFF_MODE_POWER_OFF);
	register_end_zone(SYS_OFF_MODE_RESTART);
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);

	return 0;
}
arch_initcall(hvisor_sys_off_init);

static ssize_t type_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "hvisor\n");
}

static ssize_t zone_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", this_zone.id);
}

static ssize_t abi_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", this_zone.abi);
}

static ssize_t configuration_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", this_zone.version);
}

static ssize_t features_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%#x\n", this_zone.features);
}

static struct kobj_attribute type_attr = __ATTR_RO(type);
static struct kobj_attribute zone_attr = __ATTR_RO(zone);
static struct kobj_attribute abi_attr = __ATTR_RO(abi);
static struct kobj_attribute configuration_attr = __ATTR_RO(configuration);
static struct kobj_attribute features_attr = __ATTR_RO(features);

static const struct attribute * const hvisor_attrs[] = {
	&type_attr.attr,
	&zone_attr.attr,
	&abi_attr.attr,
	&configuration_attr.attr,
	&features_attr.attr,
	NULL
};

/* How often somebody may have to read while the hypervisor writes */
#define TIME_INFO_TRIES		100

static struct hvisor_time_info *time_info;

/* The hypervisor, which may do anything, writes at the same time */
static int read_stolen(const struct hvisor_time_info *info, u64 *stolen)
{
	u32 before, after;
	int i;

	for (i = 0; i < TIME_INFO_TRIES; i++) {
		/* The time is of this sequence, or of a later one */
		before = smp_load_acquire(&info->sequence);
		*stolen = READ_ONCE(info->stolen);
		/* And not of a later one, if it is still this one */
		smp_rmb();
		after = READ_ONCE(info->sequence);
		if (before == after && !(before & 1))
			return 0;
		cpu_relax();
	}

	return -EAGAIN;
}

static ssize_t stolen_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	u64 stolen;
	int ret = read_stolen(time_info, &stolen);

	return ret ?: sysfs_emit(buf, "%llu\n", stolen);
}

static struct kobj_attribute stolen_attr = __ATTR_RO(stolen);

/* Or it would write into what another kernel has there */
static int end_time_info(struct notifier_block *nb, unsigned long event, void *data)
{
	hvisor_call(HVISOR_CALL_TIME_INFO, 0, 0);

	return NOTIFY_DONE;
}

static struct notifier_block end_time_info_block = {
	.notifier_call	= end_time_info,
};

static struct hvisor_time_info *start_time_info(void)
{
	struct hvisor_time_info *info = (void *)get_zeroed_page(GFP_KERNEL);
	long ret;

	if (!info)
		return NULL;

	ret = hvisor_call(HVISOR_CALL_TIME_INFO, __pa(info), 0);
	if (ret >= 0)
		return info;

	pr_warn("no time from the hypervisor: %ld\n", ret);
	free_page((unsigned long)info);

	return NULL;
}

static int __init hvisor_sysfs_init(void)
{
	int ret;

	if (!hvisor_guest())
		return 0;

	ret = sysfs_create_files(hypervisor_kobj, hvisor_attrs);
	if (ret || !hvisor_has_feature(HVISOR_FEATURE_TIME_INFO))
		return ret;

	time_info = start_time_info();
	if (!time_info)
		return 0;

	register_reboot_notifier(&end_time_info_block);

	return sysfs_create_file(hypervisor_kobj, &stolen_attr.attr);
}
device_initcall(hvisor_sysfs_init);

#if IS_ENABLED(CONFIG_LOONGARCH_HVISOR_KUNIT_TEST)
#include "tests/hvisor_kunit.c"
#endif
