/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LoongArch IOMMU: registers
 *
 * There is no public manual. What is here is what its known drivers agree on;
 * a register or a bit that isn't here is unknown and must keep its value.
 */
#ifndef _LOONGARCH_IOMMU_REGS_H
#define _LOONGARCH_IOMMU_REGS_H

#include <linux/bitfield.h>
#include <linux/bits.h>

/* BAR 0, of which nothing behind this is known */
#define LA_REGS_SIZE			0x140

/* Translation lookaside buffers, one for reads (AR) and one for writes (AW) */
#define LA_REG_VBTC			0x014
#define  LA_VBTC_CMD			GENMASK(3, 0)
#define  LA_VBTC_CMD_FLUSH_DOMAIN	4	/* of the domain that EIVDB names */
#define  LA_VBTC_CMD_FLUSH_ALL		5
#define  LA_VBTC_CMD_HIGH		BIT(4)	/* of the command, or unknown */
#define  LA_VBTC_AR			BIT(8)
#define  LA_VBTC_BUSY			BIT(16)

/* Window to the device table, which is inside the unit */
#define LA_REG_EIVDB			0x018
#define  LA_EIVDB_RID			GENMASK(15, 0)
#define  LA_EIVDB_DOMAIN		GENMASK(19, 16)
#define  LA_EIVDB_VALID			BIT(20)
#define  LA_EIVDB_INDEX			GENMASK(27, 24)
#define  LA_EIVDB_TRANSLATE		BIT(31)	/* Of units that LA_EIVDB_ENABLES is said of */

/* Commits what the window has */
#define LA_REG_CMD			0x01c
#define  LA_CMD_OP			GENMASK(1, 0)	/* 0: write */

/* Root table and geometry of each domain */
#define LA_REG_PGD_LO(id)		(0x020 + 8 * (id))
#define LA_REG_PGD_HI(id)		(0x024 + 8 * (id))
#define LA_REG_DIR_CTRL(id)		(0x0a0 + 4 * (id))
#define  LA_DIR_CTRL_SHIFT0		GENMASK(5, 0)
#define  LA_DIR_CTRL_WIDTH0		GENMASK(9, 6)
#define  LA_DIR_CTRL_SHIFT1		GENMASK(15, 10)
#define  LA_DIR_CTRL_WIDTH1		GENMASK(19, 16)
#define  LA_DIR_CTRL_SHIFT2		GENMASK(25, 20)
#define  LA_DIR_CTRL_WIDTH2		GENMASK(29, 26)

/* Address of an access that failed, of which nothing else is known */
#define LA_REG_EX_ADDR_LO		0x0e8
#define LA_REG_EX_ADDR_HI		0x0ec

#define LA_REG_CTRL			0x100
#define  LA_CTRL_MAIN_MEMORY		BIT(29)	/* Tables are in main memory */
#define  LA_CTRL_TRANSLATE		BIT(31)

#endif
