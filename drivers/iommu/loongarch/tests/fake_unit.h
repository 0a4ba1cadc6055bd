/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A LoongArch IOMMU of memory, for tests
 *
 * It knows what the driver may do, and fails the test for anything else. What
 * nobody knows of the real unit is a switch here.
 */
#ifndef _LOONGARCH_IOMMU_FAKE_UNIT_H
#define _LOONGARCH_IOMMU_FAKE_UNIT_H

#include <kunit/test.h>

#include "iommu.h"
#include "regs.h"

#define FAKE_LOG	512

/* What unknown bits have, which must stay */
#define FAKE_VBTC_NOISE	0xa4a4a200
#define FAKE_CMD_NOISE	0x5a5a5a58
#define FAKE_CTRL_NOISE	0x1234560f

struct fake_access {
	u32 reg;
	u32 val;
};

/**
 * struct fake_unit - a unit of memory
 * @iommu: what the driver has of it
 * @commit_on_cmd: an entry, or a flush with LA_CMD_AFTER_VBTC, counts when CMD is
 * written; otherwise with EIVDB and VBTC
 * @busy_polls: how often a command reads as busy
 * @stuck: commands never end
 * @gone: all registers read all ones
 * @keeps_valid: no entry may become invalid
 * @keeps_fault: the address of an access that failed can't be written
 * @next_fault: if not 0, the address as soon as half of it was read
 * @left: an earlier kernel has left it as it is
 * @nr_left: how many writes there were when its devices were stopped
 * @regs: the registers
 * @staged: a command that waits for CMD
 * @busy: how often the present command will read as busy
 * @table: the device table
 * @cached: what the TLB of each channel may have of each domain
 * @flushes: how many commands began for each domain, in the channel for writes
 * @reads: accesses
 * @log: writes
 * @nr_log: how many writes
 */
struct fake_unit {
	struct la_iommu iommu;

	bool commit_on_cmd;
	unsigned int busy_polls;
	bool stuck;
	bool gone;
	bool keeps_valid;
	bool keeps_fault;
	u64 next_fault;
	bool left;
	unsigned int nr_left;

	u32 regs[LA_REGS_SIZE / sizeof(u32)];
	u32 staged;
	unsigned int busy;
	u32 table[LA_MAX_SLOTS];
	bool cached[2][LA_MAX_IDS];
	unsigned int flushes[LA_MAX_IDS];
	unsigned int reads;
	struct fake_access log[FAKE_LOG];
	unsigned int nr_log;
};

struct fake_unit *fake_unit(struct kunit *test, struct device *dev);
void fake_unit_power_on(struct fake_unit *fake);
void fake_unit_forget_log(struct fake_unit *fake);
void fake_unit_fail(struct fake_unit *fake, u64 iova);
u64 fake_unit_fault(struct fake_unit *fake);
u64 fake_unit_pgd(struct fake_unit *fake, unsigned int id);
bool fake_unit_names(struct fake_unit *fake, unsigned int id);

#endif
