// SPDX-License-Identifier: GPL-2.0
/*
 * A secure processor whose "hardware" is a mailbox in the BAR of an ivshmem-plain device, answered by
 * bootgate-psp on the host. For tests only: the signing key is the simulator's, and no verifier trusts
 * it unless its configuration names it.
 *
 * The mailbox is described in docs/simulated-psp.md: 256 KiB, little-endian 32-bit fields.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "tsm_sim.h"

#define AT_REQUEST		0x00
#define AT_RESPONSE		0x04
#define AT_PROVIDER		0x08
#define AT_PRIVILEGE		0x0c
#define AT_INPUT_LENGTH		0x10
#define AT_OUTPUT_LENGTH	0x14
#define AT_AUXILIARY_LENGTH	0x18
#define AT_MANIFEST_LENGTH	0x1c
#define AT_STATUS		0x20
#define AT_FLOOR		0x24
#define AT_OPERATION		0x28
#define AT_ARGUMENT		0x2c
#define AT_SERVICE		0x30
#define AT_INPUT		0x40
#define AT_OPERATIONS		0x80
#define AT_OUTPUT		0x1000
#define AT_AUXILIARY		0x9000
#define AT_MANIFEST		0x11000
#define MAILBOX_SIZE		0x19000
#define BLOB_MAX		0x8000
#define MAGIC			0x5354

static unsigned int timeout_ms = 10000;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "how long the host may take for an answer");

static bool old_kernel;
module_param(old_kernel, bool, 0444);
MODULE_PARM_DESC(old_kernel, "only the devices that kernels before 6.7 have, no configfs-tsm");

static int pull(struct mailbox *box, u32 length_at, u32 at, struct blob *blob)
{
	u32 n = ioread32(box->base + length_at);

	if (!n)
		return 0;
	if (n > BLOB_MAX)
		return -EIO;
	blob->bytes = kvmalloc(n, GFP_KERNEL);
	if (!blob->bytes)
		return -ENOMEM;
	memcpy_fromio(blob->bytes, box->base + at, n);
	blob->length = n;
	return 0;
}

static void push(struct mailbox *box, const struct request *request)
{
	static const u8 nothing[sizeof(guid_t)];

	iowrite32(request->operation, box->base + AT_OPERATION);
	iowrite32(request->argument, box->base + AT_ARGUMENT);
	iowrite32(request->privilege, box->base + AT_PRIVILEGE);
	iowrite32(request->input_length, box->base + AT_INPUT_LENGTH);
	memcpy_toio(box->base + AT_SERVICE, request->service ? (void *)request->service : nothing,
		    sizeof(nothing));
	memcpy_toio(box->base + AT_INPUT, request->input, request->input_length);
}

static int wait_for_host(struct mailbox *box, u32 number)
{
	unsigned long end = jiffies + msecs_to_jiffies(timeout_ms);

	while (ioread32(box->base + AT_RESPONSE) != number) {
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		usleep_range(500, 2000);
	}
	return 0;
}

/* Blocks until the host has answered. */
int mailbox_ask(struct mailbox *box, const struct request *request, struct answer *answer)
{
	u32 number;
	int rc;

	memset(answer, 0, sizeof(*answer));
	if (request->input_length > INPUT_SIZE)
		return -EINVAL;
	mutex_lock(&box->lock);
	push(box, request);
	wmb();
	number = ioread32(box->base + AT_REQUEST) + 1;
	iowrite32(number, box->base + AT_REQUEST);
	rc = wait_for_host(box, number);
	rmb();
	if (!rc)
		rc = -(int)ioread32(box->base + AT_STATUS);
	if (!rc)
		rc = pull(box, AT_OUTPUT_LENGTH, AT_OUTPUT, &answer->output);
	if (!rc)
		rc = pull(box, AT_AUXILIARY_LENGTH, AT_AUXILIARY, &answer->auxiliary);
	if (!rc)
		rc = pull(box, AT_MANIFEST_LENGTH, AT_MANIFEST, &answer->manifest);
	mutex_unlock(&box->lock);
	return rc;
}

void answer_free(struct answer *answer)
{
	kvfree(answer->output.bytes);
	kvfree(answer->auxiliary.bytes);
	kvfree(answer->manifest.bytes);
}

static int sim_probe(struct pci_dev *device, const struct pci_device_id *id)
{
	struct mailbox *box;
	u32 provider;
	int rc = pcim_enable_device(device);

	if (rc)
		return rc;
	box = devm_kzalloc(&device->dev, sizeof(*box), GFP_KERNEL);
	if (!box)
		return -ENOMEM;
	if (pci_resource_len(device, 2) < MAILBOX_SIZE)
		return -ENODEV;
	box->base = pcim_iomap(device, 2, 0);
	if (!box->base)
		return -ENOMEM;
	provider = ioread32(box->base + AT_PROVIDER);
	if ((provider >> 16) != MAGIC)
		return -ENODEV;
	box->device = &device->dev;
	box->provider = provider & 0xffff;
	box->privilege_floor = ioread32(box->base + AT_FLOOR);
	box->operations = ioread32(box->base + AT_OPERATIONS);
	mutex_init(&box->lock);
	pci_set_drvdata(device, box);
	rc = box->provider == TDX ? tdx_device_start(box) : sev_device_start(box);
	if (!rc && !old_kernel) {
		rc = configfs_start(box);
		if (rc)
			box->provider == TDX ? tdx_device_stop() : sev_device_stop();
	}
	dev_info(&device->dev, "tsm_sim: SIMULATED processor %u, %s, rc=%d\n", box->provider,
		 old_kernel ? "device only" : "configfs and device", rc);
	return rc;
}

static void sim_remove(struct pci_dev *device)
{
	struct mailbox *box = pci_get_drvdata(device);

	if (!old_kernel)
		configfs_stop(box);
	box->provider == TDX ? tdx_device_stop() : sev_device_stop();
}

static const struct pci_device_id ids[] = { { PCI_DEVICE(0x1af4, 0x1110) }, {} };
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver tsm_sim_driver = {
	.name = "tsm_sim",
	.id_table = ids,
	.probe = sim_probe,
	.remove = sim_remove,
};
module_pci_driver(tsm_sim_driver);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("the kernel's interfaces to a simulated secure processor (tests only)");
