// SPDX-License-Identifier: GPL-2.0-only
/*
 * A LoongArch IOMMU of memory, for tests
 */
#include <kunit/static_stub.h>

#include "fake_unit.h"

static struct fake_unit *to_fake(struct la_iommu *iommu)
{
	return container_of(iommu, struct fake_unit, iommu);
}

static u32 *fake_reg(struct fake_unit *fake, u32 reg)
{
	return &fake->regs[reg / sizeof(u32)];
}

static unsigned int entry_id(u32 entry)
{
	return FIELD_GET(LA_EIVDB_DOMAIN, entry);
}

/* The root of a domain's table */
u64 fake_unit_pgd(struct fake_unit *fake, unsigned int id)
{
	return (u64)*fake_reg(fake, LA_REG_PGD_HI(id)) << 32 |
	       *fake_reg(fake, LA_REG_PGD_LO(id));
}

/* An access to @iova has failed */
void fake_unit_fail(struct fake_unit *fake, u64 iova)
{
	*fake_reg(fake, LA_REG_EX_ADDR_HI) = upper_32_bits(iova);
	*fake_reg(fake, LA_REG_EX_ADDR_LO) = lower_32_bits(iova);
}

/* The address that the unit has of it */
u64 fake_unit_fault(struct fake_unit *fake)
{
	return (u64)*fake_reg(fake, LA_REG_EX_ADDR_HI) << 32 |
	       *fake_reg(fake, LA_REG_EX_ADDR_LO);
}

/* Is a device bound to the domain? */
bool fake_unit_names(struct fake_unit *fake, unsigned int id)
{
	for (int i = 0; i < LA_MAX_SLOTS; i++) {
		if (fake->table[i] & LA_EIVDB_VALID && entry_id(fake->table[i]) == id)
			return true;
	}

	return false;
}

/* A device that is bound to a domain fills the TLBs */
static void fake_fill(struct fake_unit *fake)
{
	for (int id = 0; id < LA_MAX_IDS; id++) {
		bool bound = fake_unit_names(fake, id);

		fake->cached[0][id] |= bound;
		fake->cached[1][id] |= bound;
	}
}

static void fake_take_entry(struct kunit *test, struct fake_unit *fake, u32 entry)
{
	u32 *old = &fake->table[FIELD_GET(LA_EIVDB_INDEX, entry)];

	if (fake->keeps_valid && *old & LA_EIVDB_VALID)
		KUNIT_EXPECT_TRUE_MSG(test, entry & LA_EIVDB_VALID,
				      "entry 0x%x has a moment without translation", *old);
	*old = entry;
	fake_fill(fake);
}

/* What is written into EIVDB without the bit that lets some units translate */
static u32 fake_entry(struct fake_unit *fake, u32 val)
{
	return fake->iommu.features & LA_EIVDB_ENABLES ? val & ~LA_EIVDB_TRANSLATE : val;
}

/* Only what an entry has or is to have: nobody knows when the unit takes it */
static void fake_write_eivdb(struct kunit *test, struct fake_unit *fake, u32 val)
{
	u32 entry = fake_entry(fake, val);
	unsigned int slot = FIELD_GET(LA_EIVDB_INDEX, entry);

	KUNIT_EXPECT_EQ(test, entry, fake->iommu.slots[slot].entry);
	if (entry & LA_EIVDB_VALID)
		KUNIT_EXPECT_TRUE_MSG(test, test_bit(entry_id(entry), fake->iommu.ids),
				      "entry 0x%x is of an unused domain", entry);
	if (!fake->commit_on_cmd)
		fake_take_entry(test, fake, entry);
}

static void fake_run(struct kunit *test, struct fake_unit *fake, u32 val)
{
	unsigned int id = entry_id(*fake_reg(fake, LA_REG_EIVDB));
	bool *cached = fake->cached[!!(val & LA_VBTC_AR)];

	switch (val & (LA_VBTC_CMD | LA_VBTC_CMD_HIGH)) {
	case LA_VBTC_CMD_FLUSH_DOMAIN:
		KUNIT_EXPECT_EQ(test, fake->iommu.features & LA_FLUSH_ALL, 0);
		cached[id] = false;
		if (!(val & LA_VBTC_AR))
			fake->flushes[id]++;
		break;
	case LA_VBTC_CMD_FLUSH_ALL:
		memset(cached, 0, sizeof(fake->cached[0]));
		break;
	default:
		KUNIT_FAIL(test, "unknown command 0x%x", val);
	}
	fake_fill(fake);
	fake->busy = fake->busy_polls;
}

/* With commit_on_cmd, a command that some unit commits begins there, too */
static bool fake_waits_for_cmd(struct fake_unit *fake)
{
	return fake->commit_on_cmd && fake->iommu.features & LA_CMD_AFTER_VBTC;
}

static void fake_write_vbtc(struct kunit *test, struct fake_unit *fake, u32 val)
{
	u32 known = LA_VBTC_CMD | LA_VBTC_CMD_HIGH | LA_VBTC_AR | LA_VBTC_BUSY;

	KUNIT_EXPECT_EQ_MSG(test, fake->busy, 0, "a command was running");
	KUNIT_EXPECT_EQ(test, val & ~known, FAKE_VBTC_NOISE);
	KUNIT_EXPECT_EQ(test, val & LA_VBTC_BUSY, 0);

	if (fake_waits_for_cmd(fake))
		fake->staged = val;
	else
		fake_run(test, fake, val);
}

static void fake_write_cmd(struct kunit *test, struct fake_unit *fake, u32 val)
{
	KUNIT_EXPECT_EQ(test, val, FAKE_CMD_NOISE);
	if (fake->staged)
		fake_run(test, fake, fake->staged);
	fake->staged = 0;
	if (fake->commit_on_cmd)
		fake_take_entry(test, fake, fake_entry(fake, *fake_reg(fake, LA_REG_EIVDB)));
}

/* A table is changed only if nobody uses it, and nobody remembers the last one */
static void fake_write_domain(struct kunit *test, struct fake_unit *fake, unsigned int id)
{
	if (!(fake->iommu.ctrl & LA_CTRL_TRANSLATE) || fake->iommu.broken || fake->left)
		return;

	KUNIT_EXPECT_FALSE_MSG(test, fake_unit_names(fake, id), "domain %u is in use", id);
	KUNIT_EXPECT_FALSE_MSG(test, fake->cached[0][id] || fake->cached[1][id],
			       "domain %u is cached", id);
}

static bool is_fault_reg(u32 reg)
{
	return reg == LA_REG_EX_ADDR_LO || reg == LA_REG_EX_ADDR_HI;
}

static bool is_domain_reg(u32 reg)
{
	return reg >= LA_REG_PGD_LO(0) && reg < LA_REG_DIR_CTRL(LA_MAX_IDS);
}

static unsigned int domain_of_reg(u32 reg)
{
	return reg < LA_REG_DIR_CTRL(0) ? (reg - LA_REG_PGD_LO(0)) / 8 :
					  (reg - LA_REG_DIR_CTRL(0)) / 4;
}

static void fake_write_known(struct kunit *test, struct fake_unit *fake, u32 reg, u32 val)
{
	switch (reg) {
	case LA_REG_VBTC:
		fake_write_vbtc(test, fake, val);
		break;
	case LA_REG_EIVDB:
		fake_write_eivdb(test, fake, val);
		break;
	case LA_REG_CMD:
		fake_write_cmd(test, fake, val);
		break;
	case LA_REG_CTRL:
		KUNIT_EXPECT_EQ(test, fake->iommu.features & LA_EIVDB_ENABLES, 0);
		KUNIT_EXPECT_EQ(test, val & ~(LA_CTRL_MAIN_MEMORY | LA_CTRL_TRANSLATE),
				FAKE_CTRL_NOISE);
		break;
	case LA_REG_EX_ADDR_LO:
	case LA_REG_EX_ADDR_HI:
		KUNIT_EXPECT_EQ(test, val, 0);
		break;
	default:
		if (!is_domain_reg(reg))
			KUNIT_FAIL(test, "write of unknown register 0x%x", reg);
		else if (*fake_reg(fake, reg) != val)
			fake_write_domain(test, fake, domain_of_reg(reg));
	}
}

static void fake_write(struct la_iommu *iommu, u32 reg, u32 val)
{
	struct kunit *test = kunit_get_current_test();
	struct fake_unit *fake = to_fake(iommu);

	if (fake->nr_log < FAKE_LOG)
		fake->log[fake->nr_log] = (struct fake_access){ reg, val };
	fake->nr_log++;
	if (fake->gone)
		return;

	fake_write_known(test, fake, reg, val);
	if (is_fault_reg(reg) && fake->keeps_fault)
		return;
	if (reg < LA_REGS_SIZE)
		*fake_reg(fake, reg) = val;
}

static u32 fake_read_fault(struct fake_unit *fake, u32 reg)
{
	u32 val = *fake_reg(fake, reg);

	if (fake->next_fault) {
		fake_unit_fail(fake, fake->next_fault);
		fake->next_fault = 0;
	}

	return val;
}

/* Where it says whether it translates */
static u32 fake_ctrl(struct fake_unit *fake)
{
	return fake->iommu.features & LA_EIVDB_ENABLES ? LA_REG_EIVDB : LA_REG_CTRL;
}

static u32 fake_read(struct la_iommu *iommu, u32 reg)
{
	struct fake_unit *fake = to_fake(iommu);
	u32 busy = 0;

	fake->reads++;
	if (fake->gone)
		return ~0U;
	if (is_fault_reg(reg))
		return fake_read_fault(fake, reg);
	if (reg != LA_REG_VBTC && reg != LA_REG_CMD && reg != fake_ctrl(fake)) {
		KUNIT_FAIL(kunit_get_current_test(), "read of register 0x%x", reg);
		return 0;
	}
	if (reg == LA_REG_VBTC && (fake->stuck || fake->busy)) {
		busy = LA_VBTC_BUSY;
		fake->busy -= !!fake->busy;
	}

	return *fake_reg(fake, reg) | busy;
}

static void fake_quiet(struct la_iommu *iommu)
{
	struct fake_unit *fake = to_fake(iommu);

	KUNIT_EXPECT_TRUE(kunit_get_current_test(), fake->left);
	fake->nr_left = fake->nr_log;
}

/* Forget what was written and read so far */
void fake_unit_forget_log(struct fake_unit *fake)
{
	fake->nr_log = 0;
	fake->reads = 0;
}

/* What registers have when they were without power; nobody is in its table */
void fake_unit_power_on(struct fake_unit *fake)
{
	memset(fake->regs, 0x5a, sizeof(fake->regs));
	*fake_reg(fake, LA_REG_VBTC) = FAKE_VBTC_NOISE | LA_VBTC_CMD_HIGH | LA_VBTC_AR;
	*fake_reg(fake, LA_REG_CMD) = FAKE_CMD_NOISE | 2;
	*fake_reg(fake, LA_REG_CTRL) = FAKE_CTRL_NOISE;
	memset(fake->table, 0, sizeof(fake->table));
}

/* A unit as it is before la_hw_init(), and the accesses of @test redirected to it */
struct fake_unit *fake_unit(struct kunit *test, struct device *dev)
{
	struct fake_unit *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake->iommu.dev = dev;
	fake->iommu.empty = kunit_kzalloc(test, SZ_16K, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fake->iommu.empty);
	fake->iommu.nr_slots = LA_MAX_SLOTS;
	fake->busy_polls = 2;

	fake_unit_power_on(fake);

	kunit_activate_static_stub(test, la_iommu_read, fake_read);
	kunit_activate_static_stub(test, la_iommu_write, fake_write);
	kunit_activate_static_stub(test, la_iommu_quiet, fake_quiet);

	return fake;
}
