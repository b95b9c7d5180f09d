// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/tdx_guest as Linux has it since 6.2, and its measurement registers in sysfs as since 6.16
 * (Documentation/ABI/testing/sysfs-devices-virtual-misc-tdx_guest).
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <uapi/linux/tdx-guest.h>

#include "tsm_sim.h"

static struct mailbox *the;

static int ask(const u8 *report_data, struct answer *answer)
{
	struct request request = {
		.operation = LOCAL_REPORT,
		.input = report_data,
		.input_length = TDX_REPORTDATA_LEN,
	};
	int rc = mailbox_ask(the, &request, answer);

	return rc ?: answer->output.length == TDX_REPORT_LEN ? 0 : -EIO;
}

static long tdx_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct tdx_report_req __user *user = (void __user *)argument;
	u8 report_data[TDX_REPORTDATA_LEN];
	struct answer answer;
	int rc;

	if (command != TDX_CMD_GET_REPORT0)
		return -ENOTTY;
	if (copy_from_user(report_data, user->reportdata, sizeof(report_data)))
		return -EFAULT;
	rc = ask(report_data, &answer);
	if (!rc && copy_to_user(user->tdreport, answer.output.bytes, TDX_REPORT_LEN))
		rc = -EFAULT;
	answer_free(&answer);
	return rc;
}

/* A register and where a TDREPORT has it. */
struct measurement {
	struct bin_attribute attribute;
	u32 offset;
	u32 number;
};

static ssize_t measurement_read(struct file *file, struct kobject *object,
				struct bin_attribute *attribute, char *buffer, loff_t offset,
				size_t count)
{
	struct measurement *measurement = container_of(attribute, struct measurement, attribute);
	static const u8 nothing[TDX_REPORTDATA_LEN];
	struct answer answer;
	int rc = ask(nothing, &answer);

	/* sysfs keeps offset and count inside the attribute's size. */
	if (!rc)
		memcpy(buffer, answer.output.bytes + measurement->offset + offset, count);
	answer_free(&answer);
	return rc ?: count;
}

static ssize_t measurement_write(struct file *file, struct kobject *object,
				 struct bin_attribute *attribute, char *buffer, loff_t offset,
				 size_t count)
{
	struct measurement *measurement = container_of(attribute, struct measurement, attribute);
	struct request request = {
		.operation = EXTEND,
		.argument = measurement->number,
		.input = buffer,
		.input_length = DIGEST_SIZE,
	};
	struct answer answer;
	int rc;

	if (offset || count != DIGEST_SIZE)
		return -EINVAL;
	rc = mailbox_ask(the, &request, &answer);
	answer_free(&answer);
	return rc ?: count;
}

#define MEASUREMENT(its_name, its_mode, its_number, its_offset)				\
	{										\
		.attribute = {								\
			.attr = { .name = its_name, .mode = its_mode },			\
			.size = DIGEST_SIZE,						\
			.read = measurement_read,					\
			.write = (its_mode) & 0200 ? measurement_write : NULL,		\
		},									\
		.number = its_number,							\
		.offset = its_offset,							\
	}

static struct measurement measurements[] = {
	MEASUREMENT("mrtd:sha384", 0444, 0, 0x210),
	MEASUREMENT("mrconfigid", 0444, 0, 0x240),
	MEASUREMENT("rtmr0:sha384", 0444, 0, 0x2d0),
	MEASUREMENT("rtmr1:sha384", 0444, 1, 0x300),
	MEASUREMENT("rtmr2:sha384", 0644, 2, 0x330),
	MEASUREMENT("rtmr3:sha384", 0644, 3, 0x360),
};

static struct bin_attribute *attributes[ARRAY_SIZE(measurements) + 1];

static const struct attribute_group group = {
	.name = "measurements",
	.bin_attrs = attributes,
};

static const struct attribute_group *groups[] = { &group, NULL };

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = tdx_ioctl,
};

/* Without a parent it lies below /sys/devices/virtual/misc, as the real one does. */
static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tdx_guest",
	.fops = &operations,
	.groups = groups,
};

int tdx_device_start(struct mailbox *box)
{
	for (size_t i = 0; i < ARRAY_SIZE(measurements); i++) {
		sysfs_bin_attr_init(&measurements[i].attribute);
		attributes[i] = &measurements[i].attribute;
	}
	the = box;
	return misc_register(&device);
}

void tdx_device_stop(void)
{
	misc_deregister(&device);
}
