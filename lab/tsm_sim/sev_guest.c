// SPDX-License-Identifier: GPL-2.0
/* /dev/sev-guest as Linux has it since 5.19 (Documentation/virt/coco/sev-guest.rst). */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/sev-guest.h>

#include "tsm_sim.h"

/* SEV_FW_BLOB_MAX_SIZE: the most that the real driver takes for certificates. */
#define CERTIFICATES_MAX	0x4000
/* MSG_REPORT_RSP: status, size and 24 reserved bytes stand before the report. */
#define REPORT_AT		32

static struct mailbox *the;

static int ask(const struct snp_report_req *wanted, struct answer *answer)
{
	struct request request = {
		.operation = REPORT,
		.privilege = wanted->vmpl,
		.input = wanted->user_data,
		.input_length = sizeof(wanted->user_data),
	};

	memset(answer, 0, sizeof(*answer));
	if (wanted->vmpl < the->privilege_floor)
		return -EIO;
	return mailbox_ask(the, &request, answer);
}

static int put_report(const struct blob *report, u64 address)
{
	struct snp_report_resp *response;
	u32 size = report->length;
	int rc;

	if (REPORT_AT + report->length > sizeof(response->data))
		return -EIO;
	response = kzalloc(sizeof(*response), GFP_KERNEL);
	if (!response)
		return -ENOMEM;
	memcpy(response->data + 4, &size, sizeof(size));
	memcpy(response->data + REPORT_AT, report->bytes, report->length);
	rc = copy_to_user(u64_to_user_ptr(address), response, sizeof(*response)) ? -EFAULT : 0;
	kfree(response);
	return rc;
}

static int get_report(struct snp_guest_request_ioctl *message)
{
	struct snp_report_req wanted;
	struct answer answer;
	int rc;

	if (copy_from_user(&wanted, u64_to_user_ptr(message->req_data), sizeof(wanted)))
		return -EFAULT;
	rc = ask(&wanted, &answer);
	if (!rc)
		rc = put_report(&answer.output, message->resp_data);
	answer_free(&answer);
	return rc;
}

static int get_extended_report(struct snp_guest_request_ioctl *message)
{
	struct snp_ext_report_req wanted;
	struct answer answer;
	size_t room;
	int rc;

	if (copy_from_user(&wanted, u64_to_user_ptr(message->req_data), sizeof(wanted)))
		return -EFAULT;
	if (wanted.certs_len > CERTIFICATES_MAX || !PAGE_ALIGNED(wanted.certs_len))
		return -EINVAL;
	rc = ask(&wanted.data, &answer);
	if (rc)
		goto out;
	room = PAGE_ALIGN(answer.auxiliary.length);
	if (wanted.certs_len < room) {
		message->vmm_error = SNP_GUEST_VMM_ERR_INVALID_LEN;
		wanted.certs_len = room;
		rc = copy_to_user(u64_to_user_ptr(message->req_data), &wanted, sizeof(wanted)) ?
			-EFAULT : -ENOSPC;
		goto out;
	}
	if (answer.auxiliary.length &&
	    copy_to_user(u64_to_user_ptr(wanted.certs_address), answer.auxiliary.bytes,
			 answer.auxiliary.length))
		rc = -EFAULT;
	else
		rc = put_report(&answer.output, message->resp_data);
out:
	answer_free(&answer);
	return rc;
}

static long sev_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct snp_guest_request_ioctl message, __user *user = (void __user *)argument;
	int rc;

	if (copy_from_user(&message, user, sizeof(message)))
		return -EFAULT;
	if (!message.msg_version || !message.req_data || !message.resp_data)
		return -EINVAL;
	message.exitinfo2 = 0;
	switch (command) {
	case SNP_GET_REPORT:
		rc = get_report(&message);
		break;
	case SNP_GET_EXT_REPORT:
		rc = get_extended_report(&message);
		break;
	default:
		return -ENOTTY;
	}
	if (message.exitinfo2 && copy_to_user(user, &message, sizeof(message)))
		return -EFAULT;
	return rc;
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = sev_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sev-guest",
	.fops = &operations,
};

int sev_device_start(struct mailbox *box)
{
	the = box;
	device.parent = box->device;
	return misc_register(&device);
}

void sev_device_stop(void)
{
	misc_deregister(&device);
}
