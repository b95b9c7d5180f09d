/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TSM_SIM_H
#define TSM_SIM_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/uuid.h>

#define SEV		1
#define TDX		2

/* docs/simulated-psp.md, "The mailbox". */
enum operation { REPORT, LOCAL_REPORT, EXTEND, SERVICE_REPORT };

#define INPUT_SIZE	64
#define DIGEST_SIZE	48

/* A simulated processor: the memory that the host answers in, one request at a time. */
struct mailbox {
	struct device *device;
	void __iomem *base;
	u32 provider;
	u32 privilege_floor;
	u32 operations;
	struct mutex lock;
};

struct request {
	enum operation operation;
	u32 privilege;
	u32 argument;
	const guid_t *service;
	const u8 *input;
	u32 input_length;
};

struct blob {
	u8 *bytes;
	size_t length;
};

/* To be freed by the caller with kvfree, on success and on failure; what did not come has no bytes. */
struct answer {
	struct blob output, auxiliary, manifest;
};

int mailbox_ask(struct mailbox *box, const struct request *request, struct answer *answer);
void answer_free(struct answer *answer);

/* The interfaces of a kernel: configfs-tsm of 6.7 and later, and the drivers' own devices. */
int configfs_start(struct mailbox *box);
void configfs_stop(struct mailbox *box);
int sev_device_start(struct mailbox *box);
void sev_device_stop(void);
int tdx_device_start(struct mailbox *box);
void tdx_device_stop(void);

#endif
