// SPDX-License-Identifier: GPL-2.0
/*
 * A configfs-tsm report provider whose "hardware" is a mailbox in the BAR of an ivshmem-plain
 * device, answered by bootgate-psp on the host. For tests only: the signing key is the
 * simulator's, and no verifier trusts it unless its configuration names it.
 *
 * Mailbox, 256 KiB, little-endian 32-bit fields unless a size is given:
 *   0x00    request number, bumped by the guest when a request is complete
 *   0x04    response number, set by the host to the request number it answered
 *   0x08    0x5354 << 16 | provider: 1 sev_guest, 2 tdx_guest
 *   0x0c    privilege level asked for
 *   0x10    length of the report data
 *   0x14    lengths of the report, the auxiliary blob and the manifest
 *   0x20    status: 0 or a positive errno
 *   0x24    lowest privilege level the guest may ask for
 *   0x40    report data
 *   0x1000  report, 0x9000 auxiliary blob, 0x11000 manifest (32 KiB each)
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/tsm.h>

#define REQUEST		0x00
#define RESPONSE	0x04
#define PROVIDER	0x08
#define PRIVLEVEL	0x0c
#define IN_LENGTH	0x10
#define OUT_LENGTH	0x14
#define AUX_LENGTH	0x18
#define MANIFEST_LENGTH	0x1c
#define STATUS		0x20
#define FLOOR		0x24
#define IN		0x40
#define OUT		0x1000
#define AUX		0x9000
#define MANIFEST	0x11000
#define MAILBOX_SIZE	0x19000

#define MAGIC		0x5354
#define SEV		1
#define TDX		2

static unsigned int timeout_ms = 10000;
module_param(timeout_ms, uint, 0644);

struct mailbox {
	void __iomem *base;
	u32 provider;
	struct mutex lock;
};

static struct tsm_ops ops;
static struct mailbox *the;

static int pull(struct mailbox *box, u32 length_at, u32 at, u8 **blob, size_t *length)
{
	u32 n = ioread32(box->base + length_at);

	if (!n)
		return 0;
	if (n > TSM_OUTBLOB_MAX)
		return -EIO;
	*blob = kvmalloc(n, GFP_KERNEL);
	if (!*blob)
		return -ENOMEM;
	memcpy_fromio(*blob, box->base + at, n);
	*length = n;
	return 0;
}

static int answer(struct mailbox *box, struct tsm_report *report)
{
	u32 status = ioread32(box->base + STATUS);
	int rc;

	if (status)
		return -(int)status;
	rc = pull(box, OUT_LENGTH, OUT, &report->outblob, &report->outblob_len);
	if (!rc)
		rc = pull(box, AUX_LENGTH, AUX, &report->auxblob, &report->auxblob_len);
	if (!rc)
		rc = pull(box, MANIFEST_LENGTH, MANIFEST, &report->manifestblob,
			  &report->manifestblob_len);
	return rc;
}

static int sim_report_new(struct tsm_report *report, void *data)
{
	struct mailbox *box = data;
	unsigned long end = jiffies + msecs_to_jiffies(timeout_ms);
	u32 number;
	int rc = 0;

	/* As sev-guest and tdx-guest do. */
	if (report->desc.inblob_len != TSM_INBLOB_MAX)
		return -EINVAL;
	mutex_lock(&box->lock);
	iowrite32(report->desc.privlevel, box->base + PRIVLEVEL);
	iowrite32(report->desc.inblob_len, box->base + IN_LENGTH);
	memcpy_toio(box->base + IN, report->desc.inblob, report->desc.inblob_len);
	wmb();
	number = ioread32(box->base + REQUEST) + 1;
	iowrite32(number, box->base + REQUEST);
	while (ioread32(box->base + RESPONSE) != number) {
		if (time_after(jiffies, end)) {
			rc = -ETIMEDOUT;
			break;
		}
		usleep_range(500, 2000);
	}
	rmb();
	if (!rc)
		rc = answer(box, report);
	mutex_unlock(&box->lock);
	return rc;
}

static bool attr_visible(int n)
{
	switch (n) {
	case TSM_REPORT_GENERATION:
	case TSM_REPORT_PROVIDER:
		return true;
	case TSM_REPORT_PRIVLEVEL:
	case TSM_REPORT_PRIVLEVEL_FLOOR:
		return the->provider == SEV;
	}
	return false;
}

static bool bin_attr_visible(int n)
{
	switch (n) {
	case TSM_REPORT_INBLOB:
	case TSM_REPORT_OUTBLOB:
		return true;
	case TSM_REPORT_AUXBLOB:
		return the->provider == SEV;
	}
	return false;
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
	provider = ioread32(box->base + PROVIDER);
	if ((provider >> 16) != MAGIC)
		return -ENODEV;
	box->provider = provider & 0xffff;
	mutex_init(&box->lock);
	the = box;
	ops.name = box->provider == TDX ? "tdx_guest" : "sev_guest";
	ops.privlevel_floor = ioread32(box->base + FLOOR);
	ops.report_new = sim_report_new;
	ops.report_attr_visible = attr_visible;
	ops.report_bin_attr_visible = bin_attr_visible;
	pci_set_drvdata(device, box);
	rc = tsm_register(&ops, box);
	dev_info(&device->dev, "tsm_sim: SIMULATED provider %s rc=%d\n", ops.name, rc);
	return rc;
}

static void sim_remove(struct pci_dev *device)
{
	tsm_unregister(&ops);
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
MODULE_DESCRIPTION("configfs-tsm provider answered by a simulated processor (tests only)");
