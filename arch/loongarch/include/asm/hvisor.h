/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_LOONGARCH_HVISOR_H
#define _ASM_LOONGARCH_HVISOR_H

#include <linux/errno.h>
#include <linux/jump_label.h>
#include <linux/types.h>

#include <uapi/asm/hvisor.h>

struct kunit;

/* What there is in the task of a test, instead of a hypervisor */
struct hvisor_fake {
	struct kunit *test;
	long (*call)(unsigned int code, u64 arg0, u64 arg1);
	u32 features;
	bool is_nonroot;
	bool has_signature;
};

#if IS_ENABLED(CONFIG_KUNIT) && defined(CONFIG_HVISOR_GUEST)
void hvisor_set_fake(const struct hvisor_fake *fake);
#else
static inline void hvisor_set_fake(const struct hvisor_fake *fake)
{
}
#endif

#ifdef CONFIG_HVISOR_GUEST

DECLARE_STATIC_KEY_FALSE(hvisor_key);

/* Is this a zone of hvisor? */
static __always_inline bool hvisor_guest(void)
{
	return static_branch_unlikely(&hvisor_key);
}

DECLARE_STATIC_KEY_FALSE(hvisor_wait_key);

/* Does the hypervisor wait for interrupts, when it is called? */
static __always_inline bool hvisor_waits(void)
{
	return static_branch_unlikely(&hvisor_wait_key);
}

void hvisor_wait(void);
void hvisor_early_init(void);
void hvisor_ipi_init(void);
long hvisor_call(unsigned int code, u64 arg0, u64 arg1);
bool hvisor_has_feature(u32 feature);
bool hvisor_is_nonroot(void);

#else

static inline bool hvisor_guest(void)
{
	return false;
}

static __always_inline bool hvisor_waits(void)
{
	return false;
}

static inline void hvisor_wait(void)
{
}

static inline void hvisor_early_init(void)
{
}

static inline void hvisor_ipi_init(void)
{
}

static inline long hvisor_call(unsigned int code, u64 arg0, u64 arg1)
{
	return -ENODEV;
}

static inline bool hvisor_has_feature(u32 feature)
{
	return false;
}

static inline bool hvisor_is_nonroot(void)
{
	return false;
}

#endif /* CONFIG_HVISOR_GUEST */

#endif /* _ASM_LOONGARCH_HVISOR_H */
