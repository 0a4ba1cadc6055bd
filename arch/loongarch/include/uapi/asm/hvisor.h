/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Hypercalls of the hvisor hypervisor
 *
 * "hvcl 0" with the number of the call in a0 and its arguments in a1 and a2.
 * The result is in a0: negative for an error of Linux. All other registers are
 * kept. A call that the hypervisor doesn't know has the result 0, so that only
 * another result tells that it is there.
 *
 * Addresses are physical, and the hypervisor doesn't check them.
 */
#ifndef _UAPI_ASM_LOONGARCH_HVISOR_H
#define _UAPI_ASM_LOONGARCH_HVISOR_H

#include <linux/const.h>
#include <linux/types.h>

/* The root zone only: a zone that is not the root zone must never make them */
#define HVISOR_CALL_VIRTIO_INIT		0	/* page of requests */
#define HVISOR_CALL_VIRTIO_INJECT	1
#define HVISOR_CALL_ZONE_START		2	/* configuration, size */
#define HVISOR_CALL_ZONE_SHUTDOWN	3	/* zone */
#define HVISOR_CALL_SET_BOOT_MODE	8	/* mode, size; ABI 2 */
#define HVISOR_CALL_VIRTIO_DEASSERT	11	/* zone, interrupt; ABI 2 */

/* Any zone */
#define HVISOR_CALL_ZONE_LIST		4	/* buffer, entries */
#define HVISOR_CALL_IVC_INFO		5	/* buffer */
#define HVISOR_CALL_CONFIG_CHECK	6	/* u64 for a version, never 0 */

/* Any zone: proposed, with ABI 3; no hypervisor has them yet */
#define HVISOR_CALL_GUEST_INFO		0x100	/* one of HVISOR_INFO_... */
#define HVISOR_CALL_IRQ_EOI		0x101	/* lines, one bit each from HWI0 on */
#define HVISOR_CALL_IPI_SEND		0x102	/* cores, one bit each; first of them */
#define HVISOR_CALL_WAIT		0x103	/* counter's value, or 0 */
#define HVISOR_CALL_ZONE_CTRL		0x104	/* one of HVISOR_ZONE_..., argument */
#define HVISOR_CALL_DEBUG_PUTC		0x105	/* character */
#define HVISOR_CALL_IRQ_ROUTE		0x106	/* vector, core */
#define HVISOR_CALL_TIME_INFO		0x107	/* page with a struct, 0 to end it */

/* Of the calls above */
#define HVISOR_INFO_VERSION		0	/* 1 */
#define HVISOR_INFO_FEATURES		1	/* HVISOR_FEATURE_... */
#define HVISOR_INFO_ZONE		2	/* number of the zone plus 1 */
#define HVISOR_INFO_CPUS		3	/* of the zone */

#define HVISOR_FEATURE_IRQ_EOI		_BITUL(0)
#define HVISOR_FEATURE_IPI_SEND		_BITUL(1)
#define HVISOR_FEATURE_WAIT		_BITUL(2)
#define HVISOR_FEATURE_ZONE_CTRL	_BITUL(3)
#define HVISOR_FEATURE_DEBUG_PUTC	_BITUL(4)
#define HVISOR_FEATURE_IRQ_ROUTE	_BITUL(5)
#define HVISOR_FEATURE_TIME_INFO	_BITUL(6)

#define HVISOR_ZONE_POWER_OFF		0
#define HVISOR_ZONE_RESTART		1
#define HVISOR_ZONE_PANIC		2

/* What the hypervisor keeps up to date for a zone. All numbers are little-endian. */
struct hvisor_time_info {
	__u32 sequence;		/* odd while it changes */
	__u32 reserved;
	__u64 counter;		/* the board's, at the last change */
	__u64 stolen;		/* ns that the hypervisor took from the zone */
};

#endif /* _UAPI_ASM_LOONGARCH_HVISOR_H */
