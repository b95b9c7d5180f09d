// SPDX-License-Identifier: GPL-2.0
/* The simulated processor as a provider of configfs-tsm, called as the real driver is. */
#include <linux/tsm.h>

#include "tsm_sim.h"

static struct tsm_ops ops;
static struct mailbox *the;

static bool has_services(void)
{
	return the->operations & BIT(SERVICE_REPORT);
}

static void hand_over(struct blob *blob, u8 **bytes, size_t *length)
{
	*bytes = blob->bytes;
	*length = blob->length;
	blob->bytes = NULL;
}

static int report_new(struct tsm_report *report, void *data)
{
	struct tsm_desc *desc = &report->desc;
	struct request request = {
		.operation = REPORT,
		.privilege = desc->privlevel,
		.input = desc->inblob,
		.input_length = desc->inblob_len,
	};
	struct answer answer;
	int rc;

	/* As sev-guest and tdx-guest do. */
	if (desc->inblob_len != INPUT_SIZE)
		return -EINVAL;
	if (desc->service_provider) {
		if (strcmp(desc->service_provider, "svsm") || guid_is_null(&desc->service_guid))
			return -EINVAL;
		request.operation = SERVICE_REPORT;
		request.service = &desc->service_guid;
		request.argument = desc->service_manifest_version;
	}
	rc = mailbox_ask(data, &request, &answer);
	if (!rc) {
		hand_over(&answer.output, &report->outblob, &report->outblob_len);
		hand_over(&answer.auxiliary, &report->auxblob, &report->auxblob_len);
		hand_over(&answer.manifest, &report->manifestblob, &report->manifestblob_len);
	}
	answer_free(&answer);
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
	case TSM_REPORT_SERVICE_PROVIDER:
	case TSM_REPORT_SERVICE_GUID:
	case TSM_REPORT_SERVICE_MANIFEST_VER:
		return has_services();
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
	case TSM_REPORT_MANIFESTBLOB:
		return has_services();
	}
	return false;
}

int configfs_start(struct mailbox *box)
{
	the = box;
	ops.name = box->provider == TDX ? "tdx_guest" : "sev_guest";
	ops.privlevel_floor = box->privilege_floor;
	ops.report_new = report_new;
	ops.report_attr_visible = attr_visible;
	ops.report_bin_attr_visible = bin_attr_visible;
	return tsm_register(&ops, box);
}

void configfs_stop(struct mailbox *box)
{
	tsm_unregister(&ops);
}
