#ifndef BOOTGATE_CTSS2_H
#define BOOTGATE_CTSS2_H

/* The few TPM commands that evidence needs, through Debian's tpm2-tss.
 *
 * The libraries are loaded when the first TPM is opened, not when the program starts: a machine
 * without a TPM quote neither carries nor loads them (docs/decisions/0009-tpm-library-on-demand.md).
 *
 * Every function returns a TSS2_RC: 0, or a response code of the TPM or of the library. Output goes to
 * caller's memory of `*count` bytes, and `*count` becomes the number of bytes written. Handles are
 * ESYS_TR. All authorisation values are empty. */

#include <stddef.h>
#include <stdint.h>

typedef struct bootgate_tpm bootgate_tpm;

/* Loads the libraries; NULL, or which of them is missing and why. Safe to call often. */
const char *bootgate_tpm_library_fault(void);

/* Connects by the TCTI `name` ("device", "swtpm") with its configuration string. */
uint32_t bootgate_tpm_open(const char *name, const char *configuration, bootgate_tpm **tpm);
void bootgate_tpm_close(bootgate_tpm *tpm);

/* The command that was sent last, as the TPM library specification spells it. */
const char *bootgate_tpm_command(const bootgate_tpm *tpm);

/* TPM2_GetCapability: TPM_ALG_IDs of the banks that hold all of PCR 0 to 23; whether an ECC curve is
 * there. */
uint32_t bootgate_tpm_banks(bootgate_tpm *tpm, uint16_t *banks, size_t *count);
uint32_t bootgate_tpm_has_curve(bootgate_tpm *tpm, uint16_t curve, int *found);

/* TPM2_PCR_Read of those of PCR 0 to 23 whose bit is set in `mask`: digests of `size` bytes one after
 * another, ascending, all of one moment. */
uint32_t bootgate_tpm_pcr_read(bootgate_tpm *tpm, uint16_t bank, uint32_t mask, size_t size,
                               uint8_t *digests, size_t *count);

/* TPM2_PCR_Extend of several banks at once; `digests` one after another, of each bank's size. */
uint32_t bootgate_tpm_pcr_extend(bootgate_tpm *tpm, uint32_t index, const uint16_t *banks,
                                 size_t bank_count, const uint8_t *digests, size_t digests_count);

/* TPM2_CreatePrimary in the endorsement hierarchy from a marshalled TPMT_PUBLIC. */
uint32_t bootgate_tpm_create_primary(bootgate_tpm *tpm, const uint8_t *template_bytes,
                                     size_t template_count, uint32_t *handle);
/* An object or NV index that is in the TPM already. */
uint32_t bootgate_tpm_find(bootgate_tpm *tpm, uint32_t tpm_handle, uint32_t *handle);
/* TPM2_FlushContext. */
uint32_t bootgate_tpm_flush(bootgate_tpm *tpm, uint32_t *handle);
/* Forgets what bootgate_tpm_find found; the TPM keeps it. */
void bootgate_tpm_forget(bootgate_tpm *tpm, uint32_t *handle);

/* TPM2_ReadPublic: TPMT_PUBLIC and name. */
uint32_t bootgate_tpm_read_public(bootgate_tpm *tpm, uint32_t handle, uint8_t *area,
                                  size_t *area_count, uint8_t *name, size_t *name_count);

/* TPM2_Quote with the key's own scheme, over the registers of `mask` in each of `banks` (TPM_ALG_IDs):
 * TPMS_ATTEST and TPMT_SIGNATURE. */
uint32_t bootgate_tpm_quote(bootgate_tpm *tpm, uint32_t handle, const uint8_t *extra,
                            size_t extra_count, const uint16_t *banks, size_t bank_count,
                            uint32_t mask, uint8_t *attest, size_t *attest_count,
                            uint8_t *signature, size_t *signature_count);

/* TPM2_NV_Read of a whole index, by the owner or by the index's own authorisation. */
uint32_t bootgate_tpm_nv_read(bootgate_tpm *tpm, uint32_t index, uint8_t *bytes, size_t *count);
/* TPM2_NV_Write of a whole index by the owner; TPM2_NV_DefineSpace first where there is none. */
uint32_t bootgate_tpm_nv_write(bootgate_tpm *tpm, uint32_t index, const uint8_t *bytes,
                               size_t count);

/* TPM2_MakeCredential for the key `handle`: TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET. */
uint32_t bootgate_tpm_make_credential(bootgate_tpm *tpm, uint32_t handle, const uint8_t *secret,
                                      size_t secret_count, const uint8_t *name, size_t name_count,
                                      uint8_t *blob, size_t *blob_count, uint8_t *seed,
                                      size_t *seed_count);
/* TPM2_ActivateCredential by an endorsement key of the TCG's default template. */
uint32_t bootgate_tpm_activate_credential(bootgate_tpm *tpm, uint32_t key, uint32_t endorsement_key,
                                          const uint8_t *blob, size_t blob_count,
                                          const uint8_t *seed, size_t seed_count, uint8_t *secret,
                                          size_t *secret_count);

#endif
