// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the LoongArch IOMMU's register sequences
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <kunit/device.h>
#include <kunit/test.h>

#include "fake_unit.h"

/* The geometry that all known drivers write */
#define DIR_CTRL	0x2e4b66ce

static struct fake_unit *the_fake(struct kunit *test)
{
	return test->priv;
}

static int hw_test_init(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "unit");

	if (IS_ERR(dev))
		return PTR_ERR(dev);
	test->priv = fake_unit(test, dev);

	return 0;
}

/* A unit that translates, of which nothing is remembered */
static struct fake_unit *started(struct kunit *test)
{
	struct fake_unit *fake = the_fake(test);

	KUNIT_ASSERT_EQ(test, la_hw_init(&fake->iommu), 0);
	fake_unit_forget_log(fake);
	fake->keeps_valid = true;

	return fake;
}

static struct la_dev *a_device(struct kunit *test, const u16 *rids, unsigned int nr)
{
	struct la_dev *ldev = kunit_kzalloc(test, struct_size(ldev, rids, nr), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ldev);
	ldev->iommu = &the_fake(test)->iommu;
	ldev->nr_rids = nr;
	for (int i = 0; i < nr; i++)
		ldev->rids[i] = (struct la_rid){ rids[i], -1 };

	return ldev;
}

static struct la_dev *device_of(struct kunit *test, u16 rid)
{
	return a_device(test, &rid, 1);
}

#define CTRL_OFF	FAKE_CTRL_NOISE
#define CTRL_ON		(FAKE_CTRL_NOISE | LA_CTRL_MAIN_MEMORY | LA_CTRL_TRANSLATE)

/* What a sequence is to write */
struct trace {
	struct fake_access at[200];
	unsigned int nr;
};

static struct trace *new_trace(struct kunit *test)
{
	struct trace *trace = kunit_kzalloc(test, sizeof(*trace), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, trace);
	return trace;
}

static void add_write(struct trace *trace, u32 reg, u32 val)
{
	trace->at[trace->nr++] = (struct fake_access){ reg, val };
}

/* Both TLBs, as bits 8 and 4:0 of VBTC say */
static void add_flush_domain(struct trace *trace)
{
	add_write(trace, LA_REG_VBTC, FAKE_VBTC_NOISE | 0x004);
	add_write(trace, LA_REG_VBTC, FAKE_VBTC_NOISE | 0x104);
}

static void add_flush_all(struct trace *trace)
{
	add_write(trace, LA_REG_VBTC, FAKE_VBTC_NOISE | 0x005);
	add_write(trace, LA_REG_VBTC, FAKE_VBTC_NOISE | 0x105);
}

/* What makes an entry count */
static void add_entry(struct trace *trace, u32 entry, u32 ctrl)
{
	add_write(trace, LA_REG_EIVDB, entry);
	add_write(trace, LA_REG_CTRL, ctrl);
	add_write(trace, LA_REG_CMD, FAKE_CMD_NOISE);
}

static struct la_dev *bound_device(struct kunit *test, u16 rid, unsigned int id)
{
	struct la_dev *ldev = device_of(test, rid);

	KUNIT_ASSERT_EQ(test, la_hw_bind(ldev, id), 0);
	return ldev;
}

/* A unit with the tables 1 to @nr, which no device uses */
static struct fake_unit *with_tables(struct kunit *test, int nr)
{
	struct fake_unit *fake = started(test);

	for (int id = 1; id <= nr; id++)
		KUNIT_ASSERT_EQ(test, la_hw_alloc_id(&fake->iommu, id * SZ_16K), id);

	return fake;
}

static void expect_writes(struct kunit *test, const struct trace *want)
{
	struct fake_unit *fake = the_fake(test);

	KUNIT_EXPECT_EQ(test, fake->nr_log, want->nr);
	for (int i = 0; i < min(fake->nr_log, want->nr); i++) {
		KUNIT_EXPECT_EQ_MSG(test, fake->log[i].reg, want->at[i].reg, "write %d", i);
		KUNIT_EXPECT_EQ_MSG(test, fake->log[i].val, want->at[i].val, "write %d", i);
	}
}

/* Each domain has the table without entries */
static void add_empty_tables(struct trace *trace, struct fake_unit *fake)
{
	u64 empty = virt_to_phys(fake->iommu.empty);

	for (int id = 0; id < LA_MAX_IDS; id++) {
		add_write(trace, 0x0a0 + 4 * id, DIR_CTRL);
		add_write(trace, 0x024 + 8 * id, upper_32_bits(empty));
		add_write(trace, 0x020 + 8 * id, lower_32_bits(empty));
	}
}

/* All that was bound is cut off before it is forgotten, and then the unit starts */
static void start_leaves_nothing_as_it_was(struct kunit *test)
{
	struct fake_unit *fake = the_fake(test);
	struct trace *want = new_trace(test);

	add_empty_tables(want, fake);
	add_flush_all(want);
	for (int slot = 0; slot < LA_MAX_SLOTS; slot++)
		add_entry(want, slot << 24, CTRL_OFF);
	add_flush_all(want);
	add_write(want, LA_REG_CTRL, CTRL_OFF | BIT(29));
	add_write(want, LA_REG_CTRL, CTRL_OFF | BIT(29) | BIT(31));
	add_write(want, LA_REG_CMD, FAKE_CMD_NOISE);

	KUNIT_ASSERT_EQ(test, la_hw_init(&fake->iommu), 0);
	expect_writes(test, want);
}

/*
 * Tables that make no sense any more are taken away, then the devices are
 * stopped, and only then is there an entry less
 */
static void devices_of_an_earlier_kernel_are_stopped(struct kunit *test)
{
	struct fake_unit *fake = the_fake(test);

	fake->left = true;
	fake->table[5] = 0x05130250;
	fake->regs[LA_REG_CTRL / sizeof(u32)] = CTRL_ON;

	KUNIT_ASSERT_EQ(test, la_hw_init(&fake->iommu), 0);
	KUNIT_ASSERT_EQ(test, fake->nr_left, 3 * LA_MAX_IDS + 2);
	KUNIT_EXPECT_EQ(test, fake->log[fake->nr_left - 1].reg, LA_REG_VBTC);
	KUNIT_EXPECT_EQ(test, fake->log[fake->nr_left].reg, LA_REG_EIVDB);
	KUNIT_EXPECT_EQ(test, fake->table[5] & LA_EIVDB_VALID, 0);
}

static void stop_translates_nothing(struct kunit *test)
{
	struct fake_unit *fake = started(test);
	struct trace *want = new_trace(test);

	la_hw_disable(&fake->iommu);
	add_write(want, LA_REG_CTRL, CTRL_ON & ~LA_CTRL_TRANSLATE);
	add_write(want, LA_REG_CMD, FAKE_CMD_NOISE);
	add_flush_all(want);
	expect_writes(test, want);
}

static void table_has_its_root_before_its_devices(struct kunit *test)
{
	struct fake_unit *fake = started(test);
	struct trace *want = new_trace(test);
	struct la_dev *ldev = device_of(test, 0x0250);

	KUNIT_ASSERT_EQ(test, la_hw_alloc_id(&fake->iommu, 0x1234abcd4000), 1);
	KUNIT_EXPECT_EQ(test, la_hw_bind(ldev, 1), 0);
	add_write(want, 0x0a4, DIR_CTRL);
	add_write(want, 0x02c, 0x1234);
	add_write(want, 0x028, 0xabcd4000);
	add_entry(want, 0x00110250, CTRL_ON);
	add_flush_domain(want);
	expect_writes(test, want);
	KUNIT_EXPECT_LE(test, fake->nr_log, 12);
}

static void moving_to_another_table_is_one_write(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 2);
	struct trace *want = new_trace(test);
	struct la_dev *ldev = bound_device(test, 0x0250, 1);

	fake_unit_forget_log(fake);

	/* No entry names the table that was left */
	KUNIT_EXPECT_EQ(test, la_hw_bind(ldev, 2), 0);
	add_entry(want, 0x00120250, CTRL_ON);
	add_flush_domain(want);
	add_flush_all(want);
	expect_writes(test, want);
}

static void table_that_others_use_is_flushed_by_their_entry(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 2);
	struct trace *want = new_trace(test);
	struct la_dev *ldev = bound_device(test, 0x0250, 1);

	bound_device(test, 0x0300, 1);
	fake_unit_forget_log(fake);

	KUNIT_EXPECT_EQ(test, la_hw_bind(ldev, 2), 0);
	add_entry(want, 0x00120250, CTRL_ON);
	add_flush_domain(want);
	add_write(want, LA_REG_EIVDB, 0x01110300);
	add_flush_domain(want);
	expect_writes(test, want);
}

static void same_table_again_is_no_access(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 1);
	struct la_dev *ldev = bound_device(test, 0x0250, 1);

	fake_unit_forget_log(fake);

	KUNIT_EXPECT_EQ(test, la_hw_bind(ldev, 1), 0);
	KUNIT_EXPECT_EQ(test, fake->nr_log + fake->reads, 0);
}

static void blocked_device_has_the_empty_table(struct kunit *test)
{
	struct fake_unit *fake = started(test);
	struct trace *want = new_trace(test);
	struct la_dev *ldev = device_of(test, 0x0250);

	KUNIT_EXPECT_EQ(test, la_hw_block(ldev), 0);
	add_entry(want, 0x00100250, CTRL_ON);
	add_flush_domain(want);
	expect_writes(test, want);
	KUNIT_EXPECT_EQ(test, fake_unit_pgd(fake, 0), virt_to_phys(fake->iommu.empty));
}

static void unbinding_keeps_what_names_the_table(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 1);
	struct trace *want = new_trace(test);
	struct la_dev *ldev = bound_device(test, 0x0250, 1);

	fake_unit_forget_log(fake);
	fake->keeps_valid = false;

	la_hw_unbind(ldev);
	add_entry(want, 0x00010250, CTRL_ON);
	add_flush_domain(want);
	expect_writes(test, want);
	KUNIT_EXPECT_EQ(test, la_hw_free_slots(&fake->iommu), LA_MAX_SLOTS);

	fake_unit_forget_log(fake);
	la_hw_unbind(ldev);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 0);
}

static void flush_is_two_commands(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 1);
	struct trace *want = new_trace(test);

	bound_device(test, 0x0250, 1);
	fake_unit_forget_log(fake);

	KUNIT_EXPECT_EQ(test, la_hw_flush(&fake->iommu, 1), 0);
	add_flush_domain(want);
	expect_writes(test, want);
	/* One before, and two busy and one idle for each command */
	KUNIT_EXPECT_EQ(test, fake->reads, 7);
}

static void flush_names_its_table_first(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 2);
	struct trace *want = new_trace(test);

	bound_device(test, 0x0250, 1);
	bound_device(test, 0x0300, 2);
	fake_unit_forget_log(fake);

	KUNIT_EXPECT_EQ(test, la_hw_flush(&fake->iommu, 1), 0);
	add_write(want, LA_REG_EIVDB, 0x00110250);
	add_flush_domain(want);
	expect_writes(test, want);
}

static void unused_table_needs_no_flush(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 1);

	fake_unit_forget_log(fake);
	KUNIT_EXPECT_EQ(test, la_hw_flush(&fake->iommu, 1), 0);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 0);
	KUNIT_EXPECT_EQ(test, fake->reads, 0);
}

static void sixteenth_table_is_refused(struct kunit *test)
{
	struct fake_unit *fake = started(test);

	for (int id = 1; id < LA_MAX_IDS; id++)
		KUNIT_EXPECT_EQ(test, la_hw_alloc_id(&fake->iommu, id * SZ_16K), id);
	KUNIT_EXPECT_EQ(test, la_hw_free_ids(&fake->iommu), 0);
	KUNIT_EXPECT_EQ(test, la_hw_alloc_id(&fake->iommu, SZ_1M), -ENOSPC);

	la_hw_free_id(&fake->iommu, 7);
	KUNIT_EXPECT_EQ(test, fake_unit_pgd(fake, 7), virt_to_phys(fake->iommu.empty));
	KUNIT_EXPECT_EQ(test, la_hw_alloc_id(&fake->iommu, SZ_1M), 7);
}

static void seventeenth_requester_is_refused(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 1);
	struct la_dev *last = NULL;

	for (int i = 0; i < LA_MAX_SLOTS; i++) {
		last = device_of(test, 0x100 + i);
		KUNIT_EXPECT_EQ(test, la_hw_bind(last, 1), 0);
	}
	fake_unit_forget_log(fake);

	KUNIT_EXPECT_EQ(test, la_hw_bind(device_of(test, 0x200), 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, la_hw_block(device_of(test, 0x200)), -ENOSPC);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 0);

	/* Who has an entry always finds a place to be in */
	KUNIT_EXPECT_EQ(test, la_hw_block(last), 0);
	KUNIT_EXPECT_EQ(test, la_hw_bind(last, 1), 0);
}

/* All of its ids or none */
static void device_is_bound_whole(struct kunit *test)
{
	static const u16 rids[LA_MAX_SLOTS + 1] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
	};
	struct fake_unit *fake = with_tables(test, 1);
	struct la_dev *most = a_device(test, rids, LA_MAX_SLOTS);

	fake_unit_forget_log(fake);
	KUNIT_EXPECT_EQ(test, la_hw_bind(a_device(test, rids, LA_MAX_SLOTS + 1), 1), -ENOSPC);
	bound_device(test, 0x100, 1);
	fake_unit_forget_log(fake);
	KUNIT_EXPECT_EQ(test, la_hw_bind(most, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 0);
	KUNIT_EXPECT_EQ(test, la_hw_free_slots(&fake->iommu), LA_MAX_SLOTS - 1);

	KUNIT_EXPECT_EQ(test, la_hw_bind(a_device(test, rids, 3), 1), 0);
	KUNIT_EXPECT_EQ(test, fake->table[3], 0x03110003);
	/* One flush for all */
	KUNIT_EXPECT_EQ(test, fake->nr_log, 3 * 3 + 2);
}

/* Behind a bridge that makes others' accesses its own */
static void shared_requester_has_one_entry(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 1);
	struct la_dev *a = a_device(test, (const u16[]){ 0x100, 0x200 }, 2);
	struct la_dev *b = a_device(test, (const u16[]){ 0x108, 0x200 }, 2);

	la_hw_bind(a, 1);
	la_hw_bind(b, 1);
	KUNIT_EXPECT_EQ(test, la_hw_free_slots(&fake->iommu), LA_MAX_SLOTS - 3);

	fake->keeps_valid = false;
	la_hw_unbind(a);
	KUNIT_EXPECT_EQ(test, fake->table[b->rids[1].slot] & LA_EIVDB_VALID, LA_EIVDB_VALID);
	la_hw_unbind(b);
	KUNIT_EXPECT_FALSE(test, fake_unit_names(fake, 1));
	KUNIT_EXPECT_EQ(test, la_hw_free_slots(&fake->iommu), LA_MAX_SLOTS);
}

/* --- units of revision 0 */

#define OLD	(LA_EIVDB_ENABLES | LA_CMD_AFTER_VBTC | LA_FLUSH_ALL)

/* With the tables 1 and 2, which no device uses */
static struct fake_unit *old_unit(struct kunit *test)
{
	the_fake(test)->iommu.features = OLD;
	return with_tables(test, 2);
}

static void add_old_flush(struct trace *trace)
{
	add_write(trace, LA_REG_VBTC, FAKE_VBTC_NOISE | 0x005);
	add_write(trace, LA_REG_CMD, FAKE_CMD_NOISE);
	add_write(trace, LA_REG_VBTC, FAKE_VBTC_NOISE | 0x105);
	add_write(trace, LA_REG_CMD, FAKE_CMD_NOISE);
}

static void add_old_entry(struct trace *trace, u32 entry)
{
	add_write(trace, LA_REG_EIVDB, entry);
	add_write(trace, LA_REG_CMD, FAKE_CMD_NOISE);
}

/* The last write but one is what lets it translate */
static void old_unit_is_started_by_an_entry(struct kunit *test)
{
	struct fake_unit *fake = the_fake(test);
	struct trace *want = new_trace(test);

	add_empty_tables(want, fake);
	add_old_flush(want);
	for (u32 slot = 0; slot < LA_MAX_SLOTS; slot++)
		add_old_entry(want, slot << 24);
	add_old_flush(want);
	add_old_entry(want, 0x8f000000);

	fake->iommu.features = OLD;
	KUNIT_ASSERT_EQ(test, la_hw_init(&fake->iommu), 0);
	expect_writes(test, want);
}

/* It never stops to translate before they are stopped */
static void old_unit_of_an_earlier_kernel_is_kept_on(struct kunit *test)
{
	struct fake_unit *fake = the_fake(test);

	fake->iommu.features = OLD;
	fake->left = true;
	fake->table[5] = 0x05130250;
	fake->regs[LA_REG_EIVDB / sizeof(u32)] = 0x85130250;

	KUNIT_ASSERT_EQ(test, la_hw_init(&fake->iommu), 0);
	KUNIT_ASSERT_EQ(test, fake->nr_left, 3 * LA_MAX_IDS + 4);
	KUNIT_EXPECT_EQ(test, fake->table[5], 0x05000000);
	for (int i = 0; i < fake->nr_log; i++) {
		if (fake->log[i].reg == LA_REG_EIVDB)
			KUNIT_EXPECT_NE(test, fake->log[i].val & BIT(31), 0);
	}
}

static void old_unit_is_stopped_by_an_entry(struct kunit *test)
{
	struct fake_unit *fake = old_unit(test);
	struct trace *want = new_trace(test);

	bound_device(test, 0x0050, 1);
	fake_unit_forget_log(fake);

	la_hw_disable(&fake->iommu);
	add_old_entry(want, 0x00110050);
	add_old_flush(want);
	expect_writes(test, want);
}

static void old_unit_flushes_all(struct kunit *test)
{
	struct fake_unit *fake = old_unit(test);
	struct trace *want = new_trace(test);

	fake_unit_forget_log(fake);
	bound_device(test, 0x0050, 1);
	add_old_entry(want, 0x80110050);
	add_old_flush(want);
	expect_writes(test, want);

	want->nr = 0;
	fake_unit_forget_log(fake);
	KUNIT_EXPECT_EQ(test, la_hw_flush(&fake->iommu, 1), 0);
	add_old_flush(want);
	expect_writes(test, want);
	/* One before, and for each command that of CMD, two busy and one idle */
	KUNIT_EXPECT_EQ(test, fake->reads, 9);
}

/* --- units that do not answer */

static void unit_that_hangs_is_given_up(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 2);
	struct la_dev *ldev = device_of(test, 0x0250);
	struct la_dev *bound = device_of(test, 0x0300);

	la_hw_bind(bound, 1);
	fake->stuck = true;
	fake->keeps_valid = false;

	/* It is where it was: the caller may free the table */
	KUNIT_EXPECT_EQ(test, la_hw_bind(ldev, 2), -EIO);
	KUNIT_EXPECT_FALSE(test, fake_unit_names(fake, 2));
	KUNIT_EXPECT_TRUE(test, fake->iommu.broken);
	/* 10 ms, a read for each microsecond at most */
	KUNIT_EXPECT_LE(test, fake->reads, 11000);
	KUNIT_EXPECT_EQ(test, la_hw_free_slots(&fake->iommu), LA_MAX_SLOTS - 1);

	/* Nobody waits again, and what must not fail doesn't */
	fake_unit_forget_log(fake);
	KUNIT_EXPECT_EQ(test, la_hw_bind(ldev, 2), -EIO);
	KUNIT_EXPECT_EQ(test, la_hw_alloc_id(&fake->iommu, SZ_1M), -EIO);
	KUNIT_EXPECT_EQ(test, la_hw_flush(&fake->iommu, 1), -EIO);
	KUNIT_EXPECT_EQ(test, fake->nr_log + fake->reads, 0);
	KUNIT_EXPECT_EQ(test, la_hw_block(bound), 0);
	KUNIT_EXPECT_FALSE(test, fake_unit_names(fake, 1));
	la_hw_unbind(bound);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 6);
}

static void unit_that_is_gone_is_given_up_at_once(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 1);

	bound_device(test, 0x0250, 1);
	fake_unit_forget_log(fake);
	fake->gone = true;

	KUNIT_EXPECT_EQ(test, la_hw_flush(&fake->iommu, 1), -EIO);
	KUNIT_EXPECT_EQ(test, fake->reads, 1);
	KUNIT_EXPECT_TRUE(test, fake->iommu.broken);
}

static void unit_that_was_never_there_is_not_started(struct kunit *test)
{
	struct fake_unit *fake = the_fake(test);

	fake->gone = true;
	KUNIT_EXPECT_EQ(test, la_hw_init(&fake->iommu), -EIO);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 0);
}

/* --- whatever happens in whatever order */

#define WALK_STEPS	10000
#define WALK_DEVICES	8
#define WALK_TABLES	5

static void one_step(struct kunit *test, struct rnd_state *rnd, struct la_dev **ldevs, int *ids)
{
	struct fake_unit *fake = the_fake(test);
	struct la_dev *ldev = ldevs[prandom_u32_state(rnd) % WALK_DEVICES];
	int *id = &ids[prandom_u32_state(rnd) % WALK_TABLES];

	fake->keeps_valid = true;
	fake_unit_forget_log(fake);
	switch (prandom_u32_state(rnd) % 8) {
	case 0 ... 2:
		if (*id > 0)
			KUNIT_EXPECT_EQ(test, la_hw_bind(ldev, *id), 0);
		break;
	case 3:
		KUNIT_EXPECT_EQ(test, la_hw_block(ldev), 0);
		break;
	case 4:
		fake->keeps_valid = false;
		la_hw_unbind(ldev);
		break;
	case 5:
		if (*id <= 0)
			*id = la_hw_alloc_id(&fake->iommu, SZ_1M);
		break;
	case 6:
		if (*id > 0 && !fake_unit_names(fake, *id)) {
			la_hw_free_id(&fake->iommu, *id);
			*id = 0;
		}
		break;
	default:
		if (*id > 0) {
			bool bound = fake_unit_names(fake, *id);
			unsigned int before = fake->flushes[*id];

			la_hw_flush(&fake->iommu, *id);
			if (fake->iommu.features & LA_FLUSH_ALL) {
				KUNIT_EXPECT_EQ(test, fake->nr_log, 4 * bound);
				break;
			}
			KUNIT_EXPECT_EQ(test, fake->flushes[*id], before + bound);
			KUNIT_EXPECT_LE(test, fake->nr_log, 3);
		}
	}
}

static void walk(struct kunit *test, unsigned int features, bool commit_on_cmd, u32 *table)
{
	struct la_dev *ldevs[WALK_DEVICES];
	struct fake_unit *fake = the_fake(test);
	int ids[WALK_TABLES] = { };
	struct rnd_state rnd;

	fake->iommu.features = features;
	fake->commit_on_cmd = commit_on_cmd;
	started(test);
	for (int i = 0; i < WALK_DEVICES; i++)
		ldevs[i] = a_device(test, (const u16[]){ 0x100 + i, 0x200 + i / 2 }, 2);

	prandom_seed_state(&rnd, 20261126);
	for (int i = 0; i < WALK_STEPS; i++) {
		one_step(test, &rnd, ldevs, ids);
		for (int slot = 0; slot < LA_MAX_SLOTS; slot++)
			KUNIT_ASSERT_EQ_MSG(test, fake->table[slot], fake->iommu.slots[slot].entry,
					    "slot %d after step %d", slot, i);
	}
	memcpy(table, fake->table, sizeof(fake->table));
}

static const struct {
	const char *name;
	unsigned int features;
} units[] = {
	{ "revision 0", OLD },
	{ "all others", 0 },
};

KUNIT_ARRAY_PARAM_DESC(unit, units, name);

/* The fake unit looks at each write; its table is the same under both readings */
static void any_order_is_right(struct kunit *test)
{
	const typeof(units[0]) *unit = test->param_value;
	u32 on_eivdb[LA_MAX_SLOTS], on_cmd[LA_MAX_SLOTS];

	walk(test, unit->features, false, on_eivdb);
	test->priv = fake_unit(test, the_fake(test)->iommu.dev);
	walk(test, unit->features, true, on_cmd);
	KUNIT_EXPECT_MEMEQ(test, on_eivdb, on_cmd, sizeof(on_cmd));
}

/* --- sleep */

/* Two devices and tables, and an entry that nobody has any more */
static struct fake_unit *before_sleep(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 2);

	bound_device(test, 0x0100, 1);
	bound_device(test, 0x0200, 2);
	fake->keeps_valid = false;
	la_hw_unbind(bound_device(test, 0x0300, 2));
	fake->keeps_valid = true;
	fake_unit_forget_log(fake);

	return fake;
}

/* Which write of @reg with @bits was the first, or the last */
static int find_write(struct fake_unit *fake, u32 reg, u32 bits, bool last)
{
	int found = -1;

	for (int i = 0; i < fake->nr_log && (last || found < 0); i++) {
		if (fake->log[i].reg == reg && (fake->log[i].val & bits) == bits)
			found = i;
	}

	return found;
}

static void sleep_without_power_is_survived(struct kunit *test)
{
	struct fake_unit *fake = before_sleep(test);
	u32 table[LA_MAX_SLOTS];
	u64 pgds[LA_MAX_IDS];
	int flushed, enabled;

	memcpy(table, fake->table, sizeof(table));
	for (int id = 0; id < LA_MAX_IDS; id++)
		pgds[id] = fake_unit_pgd(fake, id);

	fake_unit_power_on(fake);
	KUNIT_ASSERT_EQ(test, la_hw_resume(&fake->iommu), 0);
	KUNIT_EXPECT_MEMEQ(test, fake->table, table, sizeof(table));
	for (int id = 0; id < LA_MAX_IDS; id++)
		KUNIT_EXPECT_EQ(test, fake_unit_pgd(fake, id), pgds[id]);

	/* At last it translates, with TLBs that are empty */
	flushed = find_write(fake, LA_REG_VBTC, 0x105, true);
	enabled = find_write(fake, LA_REG_CTRL, LA_CTRL_TRANSLATE, false);
	KUNIT_EXPECT_EQ(test, fake->iommu.ctrl, CTRL_ON);
	KUNIT_EXPECT_GT(test, flushed, find_write(fake, LA_REG_EIVDB, 0, true));
	KUNIT_EXPECT_GT(test, enabled, flushed);
}

static void old_unit_survives_sleep(struct kunit *test)
{
	struct fake_unit *fake = the_fake(test);
	u32 table[LA_MAX_SLOTS];
	int enabled;

	fake->iommu.features = OLD;
	before_sleep(test);
	memcpy(table, fake->table, sizeof(table));

	fake_unit_power_on(fake);
	KUNIT_ASSERT_EQ(test, la_hw_resume(&fake->iommu), 0);
	KUNIT_EXPECT_MEMEQ(test, fake->table, table, sizeof(table));
	enabled = find_write(fake, LA_REG_EIVDB, LA_EIVDB_TRANSLATE, false);
	KUNIT_EXPECT_GT(test, enabled, find_write(fake, LA_REG_VBTC, 0x105, true));
}

/* The fake unit looks at each entry, none of which may be invalid meanwhile */
static void sleep_with_power_is_translated_on(struct kunit *test)
{
	struct fake_unit *fake = before_sleep(test);
	u32 table[LA_MAX_SLOTS];

	memcpy(table, fake->table, sizeof(table));
	KUNIT_ASSERT_EQ(test, la_hw_resume(&fake->iommu), 0);
	KUNIT_EXPECT_MEMEQ(test, fake->table, table, sizeof(table));
	for (int i = 0; i < fake->nr_log; i++) {
		if (fake->log[i].reg == LA_REG_CTRL)
			KUNIT_EXPECT_EQ(test, fake->log[i].val, CTRL_ON);
	}
}

static void unit_that_does_not_wake_up_is_given_up(struct kunit *test)
{
	struct fake_unit *fake = before_sleep(test);

	fake->gone = true;
	KUNIT_EXPECT_EQ(test, la_hw_resume(&fake->iommu), -EIO);
	KUNIT_EXPECT_TRUE(test, fake->iommu.broken);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 0);
}

/* --- flushes of several CPUs */

#define FLUSHERS	4
#define FLUSHES		1000

struct flusher {
	struct kunit *test;
	struct task_struct *task;
	unsigned int late;
};

/* Counts those flushes that returned although none had begun after the call */
static int flush_often(void *data)
{
	struct flusher *flusher = data;
	struct fake_unit *fake = the_fake(flusher->test);

	for (int i = 0; i < FLUSHES; i++) {
		unsigned int before = READ_ONCE(fake->flushes[1]);

		la_hw_flush(&fake->iommu, 1);
		flusher->late += READ_ONCE(fake->flushes[1]) == before;
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);

	return 0;
}

static void one_flush_serves_all_who_wait(struct kunit *test)
{
	struct flusher flushers[FLUSHERS] = { };
	struct fake_unit *fake = with_tables(test, 1);
	unsigned int before;

	bound_device(test, 0x0250, 1);
	before = fake->flushes[1];

	for (int i = 0; i < FLUSHERS; i++) {
		flushers[i].test = test;
		flushers[i].task = kthread_create(flush_often, &flushers[i], "flusher/%d", i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, flushers[i].task);
		/* So that its accesses go to the fake unit, too */
		flushers[i].task->kunit_test = test;
		wake_up_process(flushers[i].task);
	}
	for (int i = 0; i < FLUSHERS; i++) {
		kthread_stop(flushers[i].task);
		KUNIT_EXPECT_EQ(test, flushers[i].late, 0);
	}

	KUNIT_EXPECT_GE(test, fake->flushes[1] - before, FLUSHES);
	KUNIT_EXPECT_LE(test, fake->flushes[1] - before, FLUSHERS * FLUSHES);
}

/* Three asked, then one flush, after which the others find theirs done */
static void flush_that_began_later_is_enough(struct kunit *test)
{
	struct fake_unit *fake = with_tables(test, 1);
	struct trace *want = new_trace(test);
	struct la_flush *flush = &fake->iommu.flushes[1];

	bound_device(test, 0x0250, 1);
	fake_unit_forget_log(fake);

	/* Two others wait for the lock */
	atomic64_add(2, &flush->wanted);
	la_hw_flush(&fake->iommu, 1);
	KUNIT_EXPECT_EQ(test, flush->done, 3);
	/* What one of them does next, as the second of all */
	atomic64_set(&flush->wanted, 1);
	fake_unit_forget_log(fake);
	KUNIT_EXPECT_EQ(test, la_hw_flush(&fake->iommu, 1), 0);
	KUNIT_EXPECT_EQ(test, fake->nr_log, 0);
	/* Who comes later isn't served by it */
	atomic64_set(&flush->wanted, 3);
	KUNIT_EXPECT_EQ(test, la_hw_flush(&fake->iommu, 1), 0);
	add_flush_domain(want);
	expect_writes(test, want);
}

static struct kunit_case hw_cases[] = {
	KUNIT_CASE(start_leaves_nothing_as_it_was),
	KUNIT_CASE(devices_of_an_earlier_kernel_are_stopped),
	KUNIT_CASE(stop_translates_nothing),
	KUNIT_CASE(table_has_its_root_before_its_devices),
	KUNIT_CASE(moving_to_another_table_is_one_write),
	KUNIT_CASE(table_that_others_use_is_flushed_by_their_entry),
	KUNIT_CASE(same_table_again_is_no_access),
	KUNIT_CASE(blocked_device_has_the_empty_table),
	KUNIT_CASE(unbinding_keeps_what_names_the_table),
	KUNIT_CASE(flush_is_two_commands),
	KUNIT_CASE(flush_names_its_table_first),
	KUNIT_CASE(unused_table_needs_no_flush),
	KUNIT_CASE(sixteenth_table_is_refused),
	KUNIT_CASE(seventeenth_requester_is_refused),
	KUNIT_CASE(device_is_bound_whole),
	KUNIT_CASE(shared_requester_has_one_entry),
	KUNIT_CASE(old_unit_is_started_by_an_entry),
	KUNIT_CASE(old_unit_of_an_earlier_kernel_is_kept_on),
	KUNIT_CASE(old_unit_is_stopped_by_an_entry),
	KUNIT_CASE(old_unit_flushes_all),
	KUNIT_CASE(unit_that_hangs_is_given_up),
	KUNIT_CASE(unit_that_is_gone_is_given_up_at_once),
	KUNIT_CASE(unit_that_was_never_there_is_not_started),
	KUNIT_CASE_PARAM(any_order_is_right, unit_gen_params),
	KUNIT_CASE(sleep_without_power_is_survived),
	KUNIT_CASE(old_unit_survives_sleep),
	KUNIT_CASE(sleep_with_power_is_translated_on),
	KUNIT_CASE(unit_that_does_not_wake_up_is_given_up),
	KUNIT_CASE(one_flush_serves_all_who_wait),
	KUNIT_CASE(flush_that_began_later_is_enough),
	{}
};

static struct kunit_suite hw_suite = {
	.name = "loongarch_iommu_hw",
	.init = hw_test_init,
	.test_cases = hw_cases,
};

kunit_test_suite(hw_suite);
