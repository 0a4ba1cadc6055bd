// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the constant timer
 *
 * time.c includes them. They have a timer of their own, a model of the hardware
 * whose time goes on when a test says so. The timer of the CPU isn't touched.
 */
#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/cleanup.h>
#include <linux/init.h>
#include <linux/irqdomain.h>
#include <linux/irqflags.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/of.h>
#include <linux/prandom.h>

/* As in Loongson-3 processors, and in QEMU */
#define WIDTH		48

struct timer_model {
	struct clock_event_device *evt;
	bool checked;
	/* What a period is too long */
	u64 drift;
	struct constant_timer_fake fake;
	unsigned int width;
	u64 now;
	unsigned long config;
	bool runs;
	u64 expires;
	bool pending;
	bool irqs_off;
	/* Accesses */
	unsigned int reads;
	unsigned int writes;
	unsigned int clears;
	unsigned int counts;
	/* The stable counter: how fast it is, in percent, and what it was set to */
	unsigned int rate;
	u64 offset;
	/* An InitVal of 0, or an interrupt that stays and comes again at once */
	unsigned int wrong;
	/* Calls of the event handler */
	unsigned int events;
	u64 event_at;
	/* For model_event_or_wait() */
	u64 due;
};

/* Static, since the CPUs' timers look at any time whether it is theirs */
static struct constant_timer the_timer;
static struct timer_model the_model;

static u64 init_val(struct timer_model *model)
{
	return model->config & GENMASK_ULL(model->width - 1, CSR_TCFG_VAL_SHIFT);
}

/* Each write loads the timer, whatever it was doing */
static unsigned long model_config(unsigned long val, unsigned long mask)
{
	struct timer_model *model = &the_model;
	unsigned long old = model->config;

	if (!mask) {
		model->reads++;
		return old;
	}

	model->writes++;
	model->config = (old & ~mask) | (val & mask);
	model->runs = model->config & CSR_TCFG_EN;
	model->expires = model->now + init_val(model);
	if (model->runs && !init_val(model))
		model->wrong++;

	return old;
}

static void model_clear_interrupt(void)
{
	the_model.clears++;
	the_model.pending = false;
}

static u64 model_counter(void)
{
	the_model.counts++;

	return div_u64(the_model.now * the_model.rate, 100) + the_model.offset;
}

static void model_event(struct clock_event_device *evt)
{
	the_model.events++;
	the_model.event_at = the_model.now;
}

/* As the core does: it looks at the clock, and stops when there is nothing left */
static void model_event_or_wait(struct clock_event_device *evt)
{
	if (the_model.now < the_model.due) {
		evt->set_next_event(the_model.due - the_model.now, evt);
		return;
	}

	model_event(evt);
	evt->set_state_oneshot_stopped(evt);
	evt->state_use_accessors = CLOCK_EVT_STATE_ONESHOT_STOPPED;
}

static void model_interrupt(struct timer_model *model)
{
	if (!model->pending || model->irqs_off)
		return;

	scoped_guard(irqsave) {
		if (model->checked)
			checked_timer_event(&the_timer);
		else
			constant_timer_event(model->evt);
	}
	if (model->pending)
		model->wrong++;
}

static void model_enable_irqs(struct timer_model *model)
{
	model->irqs_off = false;
	model_interrupt(model);
}

/* Let @cycles of time go by */
static void model_run(struct timer_model *model, u64 cycles)
{
	u64 end = model->now + cycles;

	while (model->runs && model->expires <= end && !model->wrong) {
		model->now = model->expires;
		model->pending = true;
		model->runs = model->config & CSR_TCFG_PERIOD;
		model->expires += init_val(model) + model->drift;
		model_interrupt(model);
	}
	model->now = end;
}

static void set_state(struct timer_model *model, enum clock_event_state state)
{
	struct clock_event_device *evt = model->evt;

	guard(irqsave)();
	switch (state) {
	case CLOCK_EVT_STATE_PERIODIC:
		evt->set_state_periodic(evt);
		break;
	case CLOCK_EVT_STATE_ONESHOT:
		evt->set_state_oneshot(evt);
		break;
	case CLOCK_EVT_STATE_ONESHOT_STOPPED:
		evt->set_state_oneshot_stopped(evt);
		break;
	default:
		evt->set_state_shutdown(evt);
	}
	evt->state_use_accessors = state;
}

static void set_next_event(struct timer_model *model, unsigned long delta)
{
	guard(irqsave)();
	model->evt->set_next_event(delta, model->evt);
}

static void forget_accesses(struct timer_model *model)
{
	model->reads = 0;
	model->writes = 0;
	model->clears = 0;
	model->counts = 0;
}

/* As the kernel finds it when a CPU starts */
static struct timer_model *reset_timer_of(bool checked)
{
	struct timer_model *model = &the_model;

	memset(model, 0, sizeof(*model));
	memset(&the_timer, 0, sizeof(the_timer));
	model->checked = checked;
	model->rate = 100;
	model->width = WIDTH;
	model->evt = &the_timer.evt;
	constant_clockevent_setup(model->evt, checked);
	model->evt->event_handler = model_event;
	model->fake.evt = model->evt;
	model->fake.config = model_config;
	model->fake.clear_interrupt = model_clear_interrupt;
	model->fake.counter = model_counter;

	return model;
}

static struct timer_model *reset_timer(void)
{
	return reset_timer_of(false);
}

static unsigned long tick_period(void)
{
	return div_u64(const_clock_freq, HZ);
}

/* An event @delta from now comes once, and no earlier than asked for */
static void expect_event(struct kunit *test, struct timer_model *model, unsigned long delta)
{
	u64 due = model->now + delta;

	model->events = 0;
	forget_accesses(model);
	set_next_event(model, delta);
	KUNIT_EXPECT_EQ(test, model->writes, 1);
	KUNIT_EXPECT_EQ(test, model->reads + model->clears, 0);

	model_run(model, delta + 1000);
	KUNIT_EXPECT_EQ_MSG(test, model->events, 1, "delta %lu", delta);
	KUNIT_EXPECT_GE_MSG(test, model->event_at, due, "delta %lu", delta);
	KUNIT_EXPECT_LT_MSG(test, model->event_at, due + BIT(CSR_TCFG_VAL_SHIFT),
			    "delta %lu", delta);
	KUNIT_EXPECT_EQ(test, model->clears, 1);
	KUNIT_EXPECT_EQ(test, model->reads, 0);
	KUNIT_EXPECT_EQ(test, model->writes, 1);
	KUNIT_EXPECT_EQ(test, model->counts, model->checked ? 2 : 0);
	KUNIT_EXPECT_EQ(test, model->wrong, 0);
}

static void event_comes_once(struct kunit *test)
{
	struct timer_model *model = reset_timer();
	unsigned long delta;
	int bit;

	for (delta = 4; delta <= 64; delta += 4)
		expect_event(test, model, delta);

	for (bit = 7; bit < BITS_PER_LONG && bit < WIDTH; bit++) {
		expect_event(test, model, BIT(bit) - 4);
		expect_event(test, model, BIT(bit));
		expect_event(test, model, BIT(bit) + 4);
	}
}

static void event_is_never_early(struct kunit *test)
{
	struct timer_model *model = reset_timer();
	unsigned long delta;
	int bit, off;

	for (delta = 1; delta <= 64; delta++)
		expect_event(test, model, delta);

	for (bit = 7; bit < BITS_PER_LONG && bit < WIDTH; bit++)
		for (off = -5; off <= 5; off++)
			expect_event(test, model, BIT(bit) + off);
}

static void event_replaces_the_one_before(struct kunit *test)
{
	struct timer_model *model = reset_timer();

	set_next_event(model, 1000);
	model_run(model, 400);
	expect_event(test, model, 4000);
	set_next_event(model, 4000);
	model_run(model, 400);
	expect_event(test, model, 1000);
}

/* No period is longer than it should be, so that their errors can't add up */
static void period_is_that_of_the_tick(struct kunit *test)
{
	struct timer_model *model = reset_timer();
	u64 start = model->now, period;
	int i;

	set_state(model, CLOCK_EVT_STATE_PERIODIC);
	KUNIT_EXPECT_EQ(test, model->reads, 0);
	KUNIT_EXPECT_EQ(test, model->writes, 1);

	period = init_val(model);
	KUNIT_EXPECT_LE(test, period, tick_period());
	KUNIT_EXPECT_GT(test, period + BIT(CSR_TCFG_VAL_SHIFT), tick_period());

	for (i = 1; i <= 1000; i++) {
		model_run(model, period);
		KUNIT_EXPECT_EQ(test, model->events, i);
		KUNIT_EXPECT_EQ(test, model->event_at, start + i * period);
	}
	KUNIT_EXPECT_EQ(test, model->reads, 0);
	KUNIT_EXPECT_EQ(test, model->writes, 1);
	KUNIT_EXPECT_EQ(test, model->clears, 1000);
}

static void ticks_that_had_to_wait_are_one(struct kunit *test)
{
	struct timer_model *model = reset_timer();

	set_state(model, CLOCK_EVT_STATE_PERIODIC);
	model->irqs_off = true;
	model_run(model, 10 * tick_period());
	model_enable_irqs(model);
	KUNIT_EXPECT_EQ(test, model->events, 1);
}

static void stopped_timer_is_silent(struct kunit *test)
{
	struct timer_model *model = reset_timer();

	set_next_event(model, 1000);
	set_state(model, CLOCK_EVT_STATE_ONESHOT_STOPPED);
	model_run(model, S32_MAX);
	KUNIT_EXPECT_EQ(test, model->events, 0);

	set_state(model, CLOCK_EVT_STATE_PERIODIC);
	set_state(model, CLOCK_EVT_STATE_SHUTDOWN);
	model_run(model, S32_MAX);
	KUNIT_EXPECT_EQ(test, model->events, 0);
}

static void latched_interrupt_is_stopped(struct kunit *test)
{
	struct timer_model *model = reset_timer();
	static const enum clock_event_state stop[] = {
		CLOCK_EVT_STATE_SHUTDOWN, CLOCK_EVT_STATE_ONESHOT, CLOCK_EVT_STATE_ONESHOT_STOPPED,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(stop); i++) {
		model->irqs_off = true;
		set_next_event(model, 1000);
		model_run(model, 2000);
		set_state(model, stop[i]);
		model_enable_irqs(model);
		KUNIT_EXPECT_EQ(test, model->events, 0);

		model->irqs_off = true;
		set_state(model, CLOCK_EVT_STATE_PERIODIC);
		model_run(model, 2 * tick_period());
		set_state(model, stop[i]);
		model_enable_irqs(model);
		KUNIT_EXPECT_EQ(test, model->events, 0);

		expect_event(test, model, 1000);
		model->events = 0;
	}
}

/* After suspend, and when a CPU starts: there was somebody else */
static void timer_of_the_firmware_is_stopped(struct kunit *test)
{
	struct timer_model *model = reset_timer();

	set_state(model, CLOCK_EVT_STATE_ONESHOT);
	set_next_event(model, 1000);
	set_state(model, CLOCK_EVT_STATE_SHUTDOWN);

	model->irqs_off = true;
	model_config(10000 | CSR_TCFG_PERIOD | CSR_TCFG_EN, ~0UL);
	model_run(model, 15000);
	set_state(model, CLOCK_EVT_STATE_ONESHOT);
	model_enable_irqs(model);
	model_run(model, 100000);
	KUNIT_EXPECT_EQ(test, model->events, 0);
	expect_event(test, model, 1000);
}

static void stop_takes_two_accesses(struct kunit *test)
{
	struct timer_model *model = reset_timer();

	set_state(model, CLOCK_EVT_STATE_SHUTDOWN);
	KUNIT_EXPECT_EQ(test, model->reads, 0);
	KUNIT_EXPECT_EQ(test, model->writes, 1);
	KUNIT_EXPECT_EQ(test, model->clears, 1);
}

static void oneshot_starts_nothing(struct kunit *test)
{
	struct timer_model *model = reset_timer();

	/* An event that nobody wants any more, as when idle stops the tick */
	set_next_event(model, 400);
	set_state(model, CLOCK_EVT_STATE_ONESHOT_STOPPED);
	forget_accesses(model);
	set_state(model, CLOCK_EVT_STATE_ONESHOT);
	KUNIT_EXPECT_LE(test, model->reads + model->writes + model->clears, 2);
	model_run(model, S32_MAX);
	KUNIT_EXPECT_EQ(test, model->events, 0);

	/* The tick, when it becomes one of high resolution */
	set_state(model, CLOCK_EVT_STATE_PERIODIC);
	set_state(model, CLOCK_EVT_STATE_ONESHOT);
	model_run(model, S32_MAX);
	KUNIT_EXPECT_EQ(test, model->events, 0);

	expect_event(test, model, 4000);
}

/* Of the hardware, whatever it calls itself */
static void longest_event_fits(struct kunit *test)
{
	struct timer_model *model = reset_timer();
	unsigned int width;

	for (width = 16; width <= min(WIDTH, BITS_PER_LONG); width++) {
		model->width = width;
		expect_event(test, model, constant_max_delta(width - 1));
	}
}

/* A hypervisor raises the interrupt, and with @stop it loses the timer as well */
static void raise_early(struct timer_model *model, bool stop)
{
	if (stop) {
		model->runs = false;
		model->config &= ~CSR_TCFG_EN;
	}
	model->pending = true;
	model_interrupt(model);
}

/*
 * Whatever the core does to the device, with interrupts enabled and disabled:
 * each event is handled once, when it is due, and there are no others.
 */
static void expect_random_events(struct kunit *test, struct timer_model *model, bool inject)
{
	unsigned int i, handled = 0;
	struct rnd_state rnd;
	bool armed = false;

	model->evt->event_handler = inject ? model_event_or_wait : model_event;
	prandom_seed_state(&rnd, 7);
	set_state(model, CLOCK_EVT_STATE_SHUTDOWN);

	for (i = 0; i < 100000; i++) {
		u32 what = prandom_u32_state(&rnd);
		unsigned long val = prandom_u32_state(&rnd) >> (what >> 27);

		model->events = 0;
		switch (what % 16) {
		case 0:
			set_state(model, CLOCK_EVT_STATE_SHUTDOWN);
			armed = false;
			break;
		case 1:
			set_state(model, CLOCK_EVT_STATE_ONESHOT_STOPPED);
			armed = false;
			break;
		case 2:
			set_state(model, CLOCK_EVT_STATE_ONESHOT);
			armed = false;
			break;
		case 3:
			model->irqs_off = true;
			break;
		case 4 ... 5:
			model_enable_irqs(model);
			break;
		case 6 ... 9:
			/* An interrupt that waits would be for the event before */
			if (model->pending)
				break;
			if (!clockevent_state_oneshot(model->evt))
				set_state(model, CLOCK_EVT_STATE_ONESHOT);
			model->due = model->now + val + 1;
			set_next_event(model, val + 1);
			armed = true;
			break;
		default:
			model_run(model, val);
			if (inject && armed && !model->events)
				raise_early(model, what & BIT(8));
		}

		KUNIT_ASSERT_EQ(test, model->wrong, 0);
		if (model->events) {
			KUNIT_ASSERT_EQ_MSG(test, model->events, 1, "step %u", i);
			KUNIT_ASSERT_TRUE_MSG(test, armed, "step %u", i);
			KUNIT_ASSERT_GE_MSG(test, model->event_at, model->due, "step %u", i);
			armed = false;
			handled++;
		}
		if (armed && !model->irqs_off)
			KUNIT_ASSERT_LT_MSG(test, model->now,
					    model->due + BIT(CSR_TCFG_VAL_SHIFT),
					    "step %u", i);
	}
	/* It was worth it */
	KUNIT_EXPECT_GT(test, handled, 5000);
}

static void random_events_come_once(struct kunit *test)
{
	expect_random_events(test, reset_timer(), false);
}

struct freq_case {
	unsigned int base_freq;
	unsigned int cfm;
	unsigned int cfd;
	u64 freq;
};

static void expect_freqs(struct kunit *test, const struct freq_case *cases, int n)
{
	int i;

	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, cases[i].freq,
				const_freq(cases[i].base_freq, cases[i].cfm, cases[i].cfd));
}

static const struct freq_case freq_cases[] = {
	{ 100000000, 1, 1, 100000000 },
	{ 100000000, 2, 1, 200000000 },
	{ 100000000, 1, 3, 33333333 },
	{ 25000000, 4, 1, 100000000 },
	{ 1, 1, 1, 1 },
	{ 0, 1, 1, 0 },
	{ 100000000, 0, 1, 0 },
	{ 100000000, 1, 0, 0 },
	{ 0, 0, 0, 0 },
};

/* More than 32 bits on the way, or in the end */
static const struct freq_case big_freq_cases[] = {
	{ 100000000, 43, 43, 100000000 },
	{ 100000000, 50, 40, 125000000 },
	{ 100000000, 50, 1, 5000000000 },
	{ 25000000, U16_MAX, U16_MAX, 25000000 },
	{ U32_MAX, U16_MAX, U16_MAX, U32_MAX },
	{ U32_MAX, U16_MAX, 1, (u64)U32_MAX * U16_MAX },
};

static void frequency_is_that_of_the_crystal(struct kunit *test)
{
	expect_freqs(test, freq_cases, ARRAY_SIZE(freq_cases));
}

static void frequency_does_not_overflow(struct kunit *test)
{
	expect_freqs(test, big_freq_cases, ARRAY_SIZE(big_freq_cases));
}

static struct kunit_case time_cases[] = {
	KUNIT_CASE(event_comes_once),
	KUNIT_CASE(event_is_never_early),
	KUNIT_CASE(event_replaces_the_one_before),
	KUNIT_CASE(period_is_that_of_the_tick),
	KUNIT_CASE(ticks_that_had_to_wait_are_one),
	KUNIT_CASE(stopped_timer_is_silent),
	KUNIT_CASE(latched_interrupt_is_stopped),
	KUNIT_CASE(timer_of_the_firmware_is_stopped),
	KUNIT_CASE(stop_takes_two_accesses),
	KUNIT_CASE(oneshot_starts_nothing),
	KUNIT_CASE(longest_event_fits),
	KUNIT_CASE(random_events_come_once),
	KUNIT_CASE(frequency_is_that_of_the_crystal),
	KUNIT_CASE(frequency_does_not_overflow),
	{}
};

static int time_test_init(struct kunit *test)
{
	WRITE_ONCE(constant_timer_fake, &the_model.fake);

	return 0;
}

static void time_test_exit(struct kunit *test)
{
	WRITE_ONCE(constant_timer_fake, NULL);
}

static struct kunit_suite time_suite = {
	.name = "loongarch_time",
	.init = time_test_init,
	.exit = time_test_exit,
	.test_cases = time_cases,
};

#define SLACK		div_u64(const_clock_freq, USEC_PER_SEC / EARLY_SLACK_US)

/* With the check nothing but two looks at the counter is added to an event */
static void checked_event_comes_once(struct kunit *test)
{
	struct timer_model *model = reset_timer_of(true);
	int bit, off;

	set_state(model, CLOCK_EVT_STATE_ONESHOT);
	for (bit = 3; bit < WIDTH; bit++)
		for (off = -5; off <= 5; off++)
			expect_event(test, model, BIT(bit) + off);
}

static void early_interrupt_is_dropped(struct kunit *test)
{
	struct timer_model *model = reset_timer_of(true);
	u64 due = 1000000;
	int i;

	set_state(model, CLOCK_EVT_STATE_ONESHOT);
	forget_accesses(model);
	set_next_event(model, due);
	for (i = 0; i < 9000; i++) {
		model_run(model, 100);
		raise_early(model, i & 1);
	}
	KUNIT_EXPECT_EQ(test, model->events, 0);
	/* What an early interrupt costs */
	KUNIT_EXPECT_EQ(test, model->clears, 9000);
	KUNIT_EXPECT_EQ(test, model->counts, 9001);
	KUNIT_EXPECT_EQ(test, model->writes, 9001);
	KUNIT_EXPECT_EQ(test, model->reads, 0);

	model_run(model, due);
	KUNIT_EXPECT_EQ(test, model->events, 1);
	KUNIT_EXPECT_EQ(test, model->event_at, due);
}

static void slightly_early_interrupt_is_let_through(struct kunit *test)
{
	struct timer_model *model = reset_timer_of(true);

	set_state(model, CLOCK_EVT_STATE_ONESHOT);
	set_next_event(model, 1000000);
	model_run(model, 1000000 - SLACK - 1);
	raise_early(model, false);
	KUNIT_EXPECT_EQ(test, model->events, 0);
	model_run(model, 1);
	raise_early(model, false);
	KUNIT_EXPECT_EQ(test, model->events, 1);
}

static void interrupt_of_a_stopped_timer_is_dropped(struct kunit *test)
{
	struct timer_model *model = reset_timer_of(true);

	set_state(model, CLOCK_EVT_STATE_ONESHOT);
	set_next_event(model, 1000000);
	set_state(model, CLOCK_EVT_STATE_ONESHOT_STOPPED);
	raise_early(model, false);
	model_run(model, 2000000);
	raise_early(model, false);
	set_state(model, CLOCK_EVT_STATE_SHUTDOWN);
	raise_early(model, false);
	model_run(model, 2000000);
	KUNIT_EXPECT_EQ(test, model->events, 0);
	KUNIT_EXPECT_FALSE(test, model->runs);
}

/* Whatever is raised in between, and if the timer is lost, a tick is a tick */
static void tick_is_counted_once(struct kunit *test)
{
	struct timer_model *model = reset_timer_of(true);
	u64 start = model->now, period = constant_tick_period();
	int i, j;

	set_state(model, CLOCK_EVT_STATE_PERIODIC);
	for (i = 1; i <= 1000; i++) {
		for (j = 0; j < 4; j++) {
			model_run(model, period / 5);
			raise_early(model, false);
		}
		model_run(model, start + i * period - model->now);
		KUNIT_ASSERT_EQ(test, model->events, i);
		KUNIT_ASSERT_EQ(test, model->event_at, start + i * period);
	}

	model_run(model, period / 2);
	raise_early(model, true);
	model_run(model, period);
	KUNIT_EXPECT_EQ(test, model->events, 1001);
}

/* Even one that isn't dropped; a look at the configuration is what that costs */
static void tick_goes_on_if_the_timer_is_lost(struct kunit *test)
{
	struct timer_model *model = reset_timer_of(true);
	u64 period = constant_tick_period();
	int i;

	set_state(model, CLOCK_EVT_STATE_PERIODIC);
	model_run(model, period - SLACK / 2);
	for (i = 1; i <= 100; i++) {
		raise_early(model, true);
		KUNIT_ASSERT_EQ(test, model->events, i);
		/* Before the timer itself is due */
		model_run(model, period - 1);
	}

	forget_accesses(model);
	model_run(model, 10 * period);
	KUNIT_EXPECT_EQ(test, model->events, 110);
	KUNIT_EXPECT_EQ(test, model->reads, 10);
	KUNIT_EXPECT_EQ(test, model->writes, 0);
}

static void late_tick_does_not_make_the_next_one_early(struct kunit *test)
{
	struct timer_model *model = reset_timer_of(true);
	u64 period = constant_tick_period();
	int i;

	set_state(model, CLOCK_EVT_STATE_PERIODIC);
	for (i = 1; i <= 100; i++) {
		model->irqs_off = true;
		model_run(model, 2 * period - period / 8);
		model_enable_irqs(model);
		KUNIT_EXPECT_EQ(test, model->events, 2 * i - 1);
		model_run(model, period / 8);
		KUNIT_EXPECT_EQ(test, model->events, 2 * i);
	}

	/* Several are lost, as without the check, but not the next one */
	model->events = 0;
	model->irqs_off = true;
	model_run(model, 10 * period + period / 8);
	model_enable_irqs(model);
	model_run(model, 10 * period);
	KUNIT_EXPECT_EQ(test, model->events, 11);
}

/* As an emulated timer has it, which starts a period when it serves the last one */
static void tick_of_a_slow_timer_is_not_dropped(struct kunit *test)
{
	struct timer_model *model = reset_timer_of(true);
	u64 period = constant_tick_period();
	int i;

	model->drift = period / 50;
	set_state(model, CLOCK_EVT_STATE_PERIODIC);
	model_run(model, period / 4);
	for (i = 1; i <= 500; i++) {
		/* Each expires while interrupts are disabled, and waits for long */
		model->irqs_off = true;
		model_run(model, period);
		model_enable_irqs(model);
		KUNIT_ASSERT_EQ(test, model->events, i);
		model_run(model, model->drift);
	}
}

static void counter_that_stands_still_stops_nothing(struct kunit *test)
{
	struct timer_model *model = reset_timer_of(true);
	int i;

	model->rate = 0;
	set_state(model, CLOCK_EVT_STATE_ONESHOT);
	for (i = 0; i < 10; i++)
		expect_event(test, model, 100000);

	model->events = 0;
	set_state(model, CLOCK_EVT_STATE_PERIODIC);
	model_run(model, 100 * constant_tick_period());
	KUNIT_EXPECT_EQ(test, model->events, 100);
}

static void counter_that_goes_back_stops_nothing(struct kunit *test)
{
	struct timer_model *model = reset_timer_of(true);

	model->offset = BIT_ULL(40);
	set_state(model, CLOCK_EVT_STATE_ONESHOT);
	set_next_event(model, 100000);
	model->offset = 0;
	model_run(model, 100003);
	KUNIT_EXPECT_EQ(test, model->events, 1);

	model->events = 0;
	model->offset = BIT_ULL(40);
	set_state(model, CLOCK_EVT_STATE_PERIODIC);
	model->offset = 0;
	model_run(model, 100 * constant_tick_period());
	KUNIT_EXPECT_GE(test, model->events, 99);
}

/* The kernel's clock is this counter, whatever the timer does */
static void slow_counter_has_events_by_its_time(struct kunit *test)
{
	struct timer_model *model = reset_timer_of(true);

	model->rate = 50;
	set_state(model, CLOCK_EVT_STATE_ONESHOT);
	set_next_event(model, 100000000);
	model_run(model, 200000000 - 4 * SLACK);
	KUNIT_EXPECT_EQ(test, model->events, 0);
	KUNIT_EXPECT_LT(test, model->writes, 32);
	model_run(model, 8 * SLACK);
	KUNIT_EXPECT_EQ(test, model->events, 1);
}

static void random_events_come_once_with_early_ones(struct kunit *test)
{
	expect_random_events(test, reset_timer_of(true), false);
	expect_random_events(test, reset_timer_of(true), true);
}

static struct kunit_case time_check_cases[] = {
	KUNIT_CASE(checked_event_comes_once),
	KUNIT_CASE(early_interrupt_is_dropped),
	KUNIT_CASE(slightly_early_interrupt_is_let_through),
	KUNIT_CASE(interrupt_of_a_stopped_timer_is_dropped),
	KUNIT_CASE(tick_is_counted_once),
	KUNIT_CASE(tick_goes_on_if_the_timer_is_lost),
	KUNIT_CASE(late_tick_does_not_make_the_next_one_early),
	KUNIT_CASE(tick_of_a_slow_timer_is_not_dropped),
	KUNIT_CASE(counter_that_stands_still_stops_nothing),
	KUNIT_CASE(counter_that_goes_back_stops_nothing),
	KUNIT_CASE(slow_counter_has_events_by_its_time),
	KUNIT_CASE(random_events_come_once_with_early_ones),
	{}
};

static struct kunit_suite time_check_suite = {
	.name = "loongarch_time_check",
	.init = time_test_init,
	.exit = time_test_exit,
	.test_cases = time_check_cases,
};

kunit_test_suites(&time_suite, &time_check_suite);

/* What CPUCFG and the device tree say, and what is made of it */
struct source_case {
	u64 cpucfg;
	u32 device_tree;
	u32 freq;
};

static const struct source_case source_cases[] __initconst = {
	{ 100000000, 0, 100000000 },
	{ 100000000, 125000000, 100000000 },
	{ U32_MAX, 125000000, U32_MAX },
	{ 0, 125000000, 125000000 },
	{ U32_MAX + 1ULL, 125000000, 125000000 },
	{ 0, 0, 0 },
	{ U32_MAX + 1ULL, 0, 0 },
};

static void __init device_tree_has_a_frequency_if_cpucfg_has_none(struct kunit *test)
{
	struct property prop = { .name = "timebase-frequency", .length = sizeof(__be32) };
	struct device_node *cpus = kunit_kzalloc(test, sizeof(*cpus), GFP_KERNEL);
	__be32 value;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, cpus);
	prop.value = &value;

	for (i = 0; i < ARRAY_SIZE(source_cases); i++) {
		value = cpu_to_be32(source_cases[i].device_tree);
		cpus->properties = source_cases[i].device_tree ? &prop : NULL;
		KUNIT_EXPECT_EQ(test, source_cases[i].freq,
				constant_timer_freq(source_cases[i].cpucfg, cpus));
	}
}

static void __init no_device_tree_has_no_frequency(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, constant_timer_freq(0, NULL), 0);
}

static int __init map_nothing(struct irq_domain *domain, unsigned int irq, irq_hw_number_t hwirq)
{
	return -ENOSPC;
}

static void __init interrupt_that_is_not_there_is_an_error(struct kunit *test)
{
	const struct irq_domain_ops ops = { .map = map_nothing };
	struct fwnode_handle *real = cpuintc_handle, *fwnode;
	struct irq_domain *domain;

	cpuintc_handle = NULL;
	KUNIT_EXPECT_LT(test, request_constant_timer_irq(), 0);

	/* A mapping that fails is interrupt 0 */
	fwnode = irq_domain_alloc_named_fwnode("time_kunit");
	domain = irq_domain_create_linear(fwnode, INT_TI + 1, &ops, NULL);
	if (domain) {
		cpuintc_handle = fwnode;
		KUNIT_EXPECT_EQ(test, get_percpu_irq(INT_TI), 0);
		KUNIT_EXPECT_LT(test, request_constant_timer_irq(), 0);
		irq_domain_remove(domain);
	}
	cpuintc_handle = real;
	irq_domain_free_fwnode(fwnode);
	KUNIT_EXPECT_NOT_NULL(test, domain);
}

/* It's in use */
static void __init interrupt_that_is_refused_is_an_error(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, request_constant_timer_irq(), -EBUSY);
}

static unsigned int reads __initdata;
static unsigned int reads_per_count __initdata;

static u64 __init read_slow_counter(void)
{
	return reads++ / reads_per_count;
}

static void __init counter_that_stands_still_is_found(struct kunit *test)
{
	reads = 0;
	reads_per_count = 1;
	KUNIT_EXPECT_TRUE(test, counter_counts(read_slow_counter));
	KUNIT_EXPECT_EQ(test, reads, 2);

	reads = 0;
	reads_per_count = COUNTER_READS;
	KUNIT_EXPECT_TRUE(test, counter_counts(read_slow_counter));

	reads = 0;
	reads_per_count = U32_MAX;
	KUNIT_EXPECT_FALSE(test, counter_counts(read_slow_counter));
	KUNIT_EXPECT_EQ(test, reads, COUNTER_READS + 1);
}

static struct kunit_case __refdata time_init_cases[] = {
	KUNIT_CASE(device_tree_has_a_frequency_if_cpucfg_has_none),
	KUNIT_CASE(no_device_tree_has_no_frequency),
	KUNIT_CASE(interrupt_that_is_not_there_is_an_error),
	KUNIT_CASE(interrupt_that_is_refused_is_an_error),
	KUNIT_CASE(counter_that_stands_still_is_found),
	{}
};

static struct kunit_suite time_init_suite = {
	.name = "loongarch_time_init",
	.test_cases = time_init_cases,
};

kunit_test_init_section_suite(time_init_suite);
