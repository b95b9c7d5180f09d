#include "CTSS2.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tcti.h>

#define ESYS_FUNCTIONS(X) \
    X(Initialize) X(Finalize) X(Free) X(GetCapability) X(PCR_Read) X(PCR_Extend) \
    X(CreatePrimary) X(TR_FromTPMPublic) X(TR_Close) X(FlushContext) X(ReadPublic) X(Quote) \
    X(NV_ReadPublic) X(NV_Read) X(NV_DefineSpace) X(NV_Write) X(MakeCredential) \
    X(StartAuthSession) X(PolicySecret) X(ActivateCredential)

#define MU_FUNCTIONS(X) \
    X(TPMT_PUBLIC_Marshal) X(TPMT_PUBLIC_Unmarshal) X(TPMT_SIGNATURE_Marshal) \
    X(TPM2B_ID_OBJECT_Marshal) X(TPM2B_ID_OBJECT_Unmarshal) \
    X(TPM2B_ENCRYPTED_SECRET_Marshal) X(TPM2B_ENCRYPTED_SECRET_Unmarshal)

#define DECLARE_ESYS(name) __typeof__(Esys_##name) *name;
#define DECLARE_MU(name) __typeof__(Tss2_MU_##name) *name;

static struct { ESYS_FUNCTIONS(DECLARE_ESYS) } esys;
static struct { MU_FUNCTIONS(DECLARE_MU) } mu;
static char fault[256];
static pthread_once_t loaded = PTHREAD_ONCE_INIT;

struct bootgate_tpm {
    ESYS_CONTEXT *context;
    TSS2_TCTI_CONTEXT *tcti;
    void *tcti_library;
    const char *command;
};

/* Nothing of a TPM's fault belongs on a guest's console; callers get the code. */
static void load(void)
{
    setenv("TSS2_LOG", "all+none", 0);
    void *esys_library = dlopen("libtss2-esys.so.0", RTLD_NOW | RTLD_LOCAL);
    void *mu_library = esys_library ? dlopen("libtss2-mu.so.0", RTLD_NOW | RTLD_LOCAL) : NULL;
    if (mu_library == NULL) {
        const char *why = dlerror();
        snprintf(fault, sizeof fault, "%s", why ? why : "tpm2-tss cannot be loaded");
        return;
    }
#define FIND_ESYS(name) \
    if ((esys.name = (__typeof__(Esys_##name) *)dlsym(esys_library, "Esys_" #name)) == NULL) \
        snprintf(fault, sizeof fault, "libtss2-esys.so.0 has no Esys_" #name);
#define FIND_MU(name) \
    if ((mu.name = (__typeof__(Tss2_MU_##name) *)dlsym(mu_library, "Tss2_MU_" #name)) == NULL) \
        snprintf(fault, sizeof fault, "libtss2-mu.so.0 has no Tss2_MU_" #name);
    ESYS_FUNCTIONS(FIND_ESYS)
    MU_FUNCTIONS(FIND_MU)
}

const char *bootgate_tpm_library_fault(void)
{
    pthread_once(&loaded, load);
    return fault[0] ? fault : NULL;
}

static TSS2_RC open_tcti(bootgate_tpm *tpm, const char *name, const char *configuration)
{
    char library[64];
    snprintf(library, sizeof library, "libtss2-tcti-%s.so.0", name);
    tpm->tcti_library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (tpm->tcti_library == NULL)
        return TSS2_TCTI_RC_NOT_IMPLEMENTED;
    TSS2_TCTI_INFO_FUNC info =
        (TSS2_TCTI_INFO_FUNC)dlsym(tpm->tcti_library, TSS2_TCTI_INFO_SYMBOL);
    if (info == NULL)
        return TSS2_TCTI_RC_NOT_IMPLEMENTED;
    TSS2_TCTI_INIT_FUNC init = info()->init;
    size_t size = 0;
    TSS2_RC rc = init(NULL, &size, configuration);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    TSS2_TCTI_CONTEXT *tcti = calloc(1, size);
    if (tcti == NULL)
        return TSS2_TCTI_RC_MEMORY;
    rc = init(tcti, &size, configuration);
    if (rc != TSS2_RC_SUCCESS) {
        free(tcti);
        return rc;
    }
    tpm->tcti = tcti;
    return TSS2_RC_SUCCESS;
}

void bootgate_tpm_close(bootgate_tpm *tpm)
{
    if (tpm == NULL)
        return;
    if (tpm->context != NULL)
        esys.Finalize(&tpm->context);
    if (tpm->tcti != NULL) {
        Tss2_Tcti_Finalize(tpm->tcti);
        free(tpm->tcti);
    }
    if (tpm->tcti_library != NULL)
        dlclose(tpm->tcti_library);
    free(tpm);
}

uint32_t bootgate_tpm_open(const char *name, const char *configuration, bootgate_tpm **result)
{
    *result = NULL;
    if (bootgate_tpm_library_fault() != NULL)
        return TSS2_ESYS_RC_NOT_IMPLEMENTED;
    bootgate_tpm *tpm = calloc(1, sizeof *tpm);
    if (tpm == NULL)
        return TSS2_ESYS_RC_MEMORY;
    tpm->command = "open";
    TSS2_RC rc = open_tcti(tpm, name, configuration);
    if (rc == TSS2_RC_SUCCESS)
        rc = esys.Initialize(&tpm->context, tpm->tcti, NULL);
    if (rc != TSS2_RC_SUCCESS) {
        bootgate_tpm_close(tpm);
        return rc;
    }
    *result = tpm;
    return TSS2_RC_SUCCESS;
}

const char *bootgate_tpm_command(const bootgate_tpm *tpm)
{
    return tpm->command;
}

static TSS2_RC put(const void *bytes, size_t size, uint8_t *to, size_t *count)
{
    if (size > *count)
        return TSS2_ESYS_RC_INSUFFICIENT_BUFFER;
    memcpy(to, bytes, size);
    *count = size;
    return TSS2_RC_SUCCESS;
}

static TPML_PCR_SELECTION selection(uint16_t bank, uint32_t mask)
{
    TPML_PCR_SELECTION list = { .count = 1 };
    list.pcrSelections[0].hash = bank;
    list.pcrSelections[0].sizeofSelect = 3;
    for (int i = 0; i < 3; i++)
        list.pcrSelections[0].pcrSelect[i] = (uint8_t)(mask >> (8 * i));
    return list;
}

static uint32_t mask_of(const TPMS_PCR_SELECTION *selection)
{
    uint32_t mask = 0;
    for (int i = 0; i < selection->sizeofSelect && i < 3; i++)
        mask |= (uint32_t)selection->pcrSelect[i] << (8 * i);
    return mask;
}

uint32_t bootgate_tpm_banks(bootgate_tpm *tpm, uint16_t *banks, size_t *count)
{
    TPMI_YES_NO more;
    TPMS_CAPABILITY_DATA *data = NULL;
    tpm->command = "TPM2_GetCapability";
    TSS2_RC rc = esys.GetCapability(tpm->context, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                    TPM2_CAP_PCRS, 0, TPM2_MAX_CAP_BUFFER, &more, &data);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    size_t found = 0;
    const TPML_PCR_SELECTION *list = &data->data.assignedPCR;
    for (uint32_t i = 0; i < list->count && i < TPM2_NUM_PCR_BANKS && found < *count; i++)
        if (mask_of(&list->pcrSelections[i]) == 0xffffff)
            banks[found++] = list->pcrSelections[i].hash;
    *count = found;
    esys.Free(data);
    return TSS2_RC_SUCCESS;
}

uint32_t bootgate_tpm_has_curve(bootgate_tpm *tpm, uint16_t curve, int *found)
{
    TPMI_YES_NO more;
    TPMS_CAPABILITY_DATA *data = NULL;
    tpm->command = "TPM2_GetCapability";
    TSS2_RC rc = esys.GetCapability(tpm->context, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                    TPM2_CAP_ECC_CURVES, curve, 1, &more, &data);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    *found = data->data.eccCurves.count > 0 && data->data.eccCurves.eccCurves[0] == curve;
    esys.Free(data);
    return TSS2_RC_SUCCESS;
}

uint32_t bootgate_tpm_pcr_read(bootgate_tpm *tpm, uint16_t bank, uint32_t mask, size_t size,
                               uint8_t *digests, size_t *count)
{
    tpm->command = "TPM2_PCR_Read";
    /* A TPM gives at most eight at once; another update counter means another moment. */
    for (int attempt = 0; attempt < 8; attempt++) {
        uint32_t left = mask, first = 0, counter = 0;
        size_t written = 0;
        while (left != 0) {
            TPML_PCR_SELECTION wanted = selection(bank, left), *got = NULL;
            TPML_DIGEST *values = NULL;
            TSS2_RC rc = esys.PCR_Read(tpm->context, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                       &wanted, &counter, &got, &values);
            if (rc != TSS2_RC_SUCCESS)
                return rc;
            uint32_t read = got->count == 1 ? mask_of(&got->pcrSelections[0]) : 0;
            int usable = read != 0 && (read & ~left) == 0
                         && values->count == (uint32_t)__builtin_popcount(read);
            for (uint32_t i = 0; usable && i < values->count; i++) {
                if (values->digests[i].size != size || written + size > *count) {
                    usable = 0;
                    break;
                }
                memcpy(digests + written, values->digests[i].buffer, size);
                written += size;
            }
            esys.Free(got);
            esys.Free(values);
            if (!usable)
                return TSS2_ESYS_RC_MALFORMED_RESPONSE;
            /* Ascending within one answer; between answers only if the lowest come first. */
            uint32_t rest = left & ~read;
            if (rest != 0 && (rest & -rest) < read)
                return TSS2_ESYS_RC_MALFORMED_RESPONSE;
            if (left == mask)
                first = counter;
            left = rest;
            if (counter != first)
                break;
        }
        if (left == 0 && counter == first) {
            *count = written;
            return TSS2_RC_SUCCESS;
        }
    }
    return TSS2_ESYS_RC_TRY_AGAIN;
}

static size_t hash_size(uint16_t bank)
{
    switch (bank) {
    case TPM2_ALG_SHA1: return 20;
    case TPM2_ALG_SHA256: return 32;
    case TPM2_ALG_SHA384: return 48;
    case TPM2_ALG_SHA512: return 64;
    default: return 0;
    }
}

uint32_t bootgate_tpm_pcr_extend(bootgate_tpm *tpm, uint32_t index, const uint16_t *banks,
                                 size_t bank_count, const uint8_t *digests, size_t digests_count)
{
    TPML_DIGEST_VALUES values = { .count = (uint32_t)bank_count };
    size_t offset = 0;
    if (index > 23 || bank_count > TPM2_NUM_PCR_BANKS)
        return TSS2_ESYS_RC_BAD_VALUE;
    for (size_t i = 0; i < bank_count; i++) {
        size_t size = hash_size(banks[i]);
        if (size == 0 || size > digests_count - offset)
            return TSS2_ESYS_RC_BAD_VALUE;
        values.digests[i].hashAlg = banks[i];
        memcpy(&values.digests[i].digest, digests + offset, size);
        offset += size;
    }
    tpm->command = "TPM2_PCR_Extend";
    return esys.PCR_Extend(tpm->context, ESYS_TR_PCR0 + index, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                           ESYS_TR_NONE, &values);
}

uint32_t bootgate_tpm_create_primary(bootgate_tpm *tpm, const uint8_t *template_bytes,
                                     size_t template_count, uint32_t *handle)
{
    TPM2B_PUBLIC area = { 0 };
    TPM2B_SENSITIVE_CREATE sensitive = { 0 };
    TPM2B_DATA outside = { 0 };
    TPML_PCR_SELECTION none = { 0 };
    size_t offset = 0;
    tpm->command = "TPM2_CreatePrimary";
    TSS2_RC rc =
        mu.TPMT_PUBLIC_Unmarshal(template_bytes, template_count, &offset, &area.publicArea);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    return esys.CreatePrimary(tpm->context, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
                              ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &area, &outside, &none,
                              handle, NULL, NULL, NULL, NULL);
}

uint32_t bootgate_tpm_find(bootgate_tpm *tpm, uint32_t tpm_handle, uint32_t *handle)
{
    tpm->command = tpm_handle >> 24 == TPM2_HT_NV_INDEX ? "TPM2_NV_ReadPublic" : "TPM2_ReadPublic";
    return esys.TR_FromTPMPublic(tpm->context, tpm_handle, ESYS_TR_NONE, ESYS_TR_NONE,
                                 ESYS_TR_NONE, handle);
}

uint32_t bootgate_tpm_flush(bootgate_tpm *tpm, uint32_t *handle)
{
    tpm->command = "TPM2_FlushContext";
    TSS2_RC rc = esys.FlushContext(tpm->context, *handle);
    *handle = ESYS_TR_NONE;
    return rc;
}

void bootgate_tpm_forget(bootgate_tpm *tpm, uint32_t *handle)
{
    esys.TR_Close(tpm->context, handle);
}

uint32_t bootgate_tpm_read_public(bootgate_tpm *tpm, uint32_t handle, uint8_t *area,
                                  size_t *area_count, uint8_t *name, size_t *name_count)
{
    TPM2B_PUBLIC *public = NULL;
    TPM2B_NAME *its_name = NULL, *qualified = NULL;
    tpm->command = "TPM2_ReadPublic";
    TSS2_RC rc = esys.ReadPublic(tpm->context, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 &public, &its_name, &qualified);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    size_t offset = 0;
    rc = mu.TPMT_PUBLIC_Marshal(&public->publicArea, area, *area_count, &offset);
    *area_count = offset;
    if (rc == TSS2_RC_SUCCESS)
        rc = put(its_name->name, its_name->size, name, name_count);
    esys.Free(public);
    esys.Free(its_name);
    esys.Free(qualified);
    return rc;
}

uint32_t bootgate_tpm_quote(bootgate_tpm *tpm, uint32_t handle, const uint8_t *extra,
                            size_t extra_count, const uint16_t *banks, size_t bank_count,
                            uint32_t mask, uint8_t *attest, size_t *attest_count,
                            uint8_t *signature, size_t *signature_count)
{
    TPM2B_DATA data = { .size = (uint16_t)extra_count };
    if (extra_count > sizeof data.buffer || bank_count > TPM2_NUM_PCR_BANKS)
        return TSS2_ESYS_RC_BAD_SIZE;
    memcpy(data.buffer, extra, extra_count);
    TPMT_SIG_SCHEME own = { .scheme = TPM2_ALG_NULL };
    TPML_PCR_SELECTION wanted = { .count = (uint32_t)bank_count };
    for (size_t i = 0; i < bank_count; i++)
        wanted.pcrSelections[i] = selection(banks[i], mask).pcrSelections[0];
    TPM2B_ATTEST *quoted = NULL;
    TPMT_SIGNATURE *signed_by = NULL;
    tpm->command = "TPM2_Quote";
    TSS2_RC rc = esys.Quote(tpm->context, handle, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                            &data, &own, &wanted, &quoted, &signed_by);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    rc = put(quoted->attestationData, quoted->size, attest, attest_count);
    if (rc == TSS2_RC_SUCCESS) {
        size_t offset = 0;
        rc = mu.TPMT_SIGNATURE_Marshal(signed_by, signature, *signature_count, &offset);
        *signature_count = offset;
    }
    esys.Free(quoted);
    esys.Free(signed_by);
    return rc;
}

/* What a TPM reads or writes in one command is at least this much on every TPM of the PC profile. */
enum { NV_PART = 512 };

uint32_t bootgate_tpm_nv_read(bootgate_tpm *tpm, uint32_t index, uint8_t *bytes, size_t *count)
{
    ESYS_TR handle = ESYS_TR_NONE;
    TSS2_RC rc = bootgate_tpm_find(tpm, index, &handle);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    TPM2B_NV_PUBLIC *public = NULL;
    TPM2B_NAME *name = NULL;
    rc = esys.NV_ReadPublic(tpm->context, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                            &public, &name);
    if (rc == TSS2_RC_SUCCESS) {
        size_t size = public->nvPublic.dataSize;
        int by_owner = (public->nvPublic.attributes & TPMA_NV_OWNERREAD) != 0;
        esys.Free(public);
        esys.Free(name);
        tpm->command = "TPM2_NV_Read";
        if (size > *count)
            rc = TSS2_ESYS_RC_INSUFFICIENT_BUFFER;
        for (size_t offset = 0; rc == TSS2_RC_SUCCESS && offset < size;) {
            size_t part = size - offset < NV_PART ? size - offset : NV_PART;
            TPM2B_MAX_NV_BUFFER *data = NULL;
            rc = esys.NV_Read(tpm->context, by_owner ? ESYS_TR_RH_OWNER : handle, handle,
                              ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, (uint16_t)part,
                              (uint16_t)offset, &data);
            if (rc != TSS2_RC_SUCCESS)
                break;
            if (data->size == part)
                memcpy(bytes + offset, data->buffer, part);
            else
                rc = TSS2_ESYS_RC_MALFORMED_RESPONSE;
            esys.Free(data);
            offset += part;
        }
        *count = size;
    }
    esys.TR_Close(tpm->context, &handle);
    return rc;
}

static int is_missing(TSS2_RC rc)
{
    return (rc & 0xffff00bf) == TPM2_RC_HANDLE;
}

uint32_t bootgate_tpm_nv_write(bootgate_tpm *tpm, uint32_t index, const uint8_t *bytes,
                               size_t count)
{
    ESYS_TR handle = ESYS_TR_NONE;
    if (count > UINT16_MAX)
        return TSS2_ESYS_RC_BAD_SIZE;
    TSS2_RC rc = bootgate_tpm_find(tpm, index, &handle);
    if (is_missing(rc)) {
        TPM2B_AUTH empty = { 0 };
        TPM2B_NV_PUBLIC area = { .nvPublic = {
            .nvIndex = index,
            .nameAlg = TPM2_ALG_SHA256,
            .attributes = TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE,
            .dataSize = (uint16_t)count,
        } };
        tpm->command = "TPM2_NV_DefineSpace";
        rc = esys.NV_DefineSpace(tpm->context, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                 ESYS_TR_NONE, &empty, &area, &handle);
    }
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    tpm->command = "TPM2_NV_Write";
    for (size_t offset = 0; rc == TSS2_RC_SUCCESS && offset < count;) {
        TPM2B_MAX_NV_BUFFER data = { 0 };
        data.size = (uint16_t)(count - offset < NV_PART ? count - offset : NV_PART);
        memcpy(data.buffer, bytes + offset, data.size);
        rc = esys.NV_Write(tpm->context, ESYS_TR_RH_OWNER, handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                           ESYS_TR_NONE, &data, (uint16_t)offset);
        offset += data.size;
    }
    esys.TR_Close(tpm->context, &handle);
    return rc;
}

uint32_t bootgate_tpm_make_credential(bootgate_tpm *tpm, uint32_t handle, const uint8_t *secret,
                                      size_t secret_count, const uint8_t *name, size_t name_count,
                                      uint8_t *blob, size_t *blob_count, uint8_t *seed,
                                      size_t *seed_count)
{
    TPM2B_DIGEST credential = { .size = (uint16_t)secret_count };
    TPM2B_NAME object = { .size = (uint16_t)name_count };
    if (secret_count > sizeof credential.buffer || name_count > sizeof object.name)
        return TSS2_ESYS_RC_BAD_SIZE;
    memcpy(credential.buffer, secret, secret_count);
    memcpy(object.name, name, name_count);
    TPM2B_ID_OBJECT *made = NULL;
    TPM2B_ENCRYPTED_SECRET *encrypted = NULL;
    tpm->command = "TPM2_MakeCredential";
    TSS2_RC rc = esys.MakeCredential(tpm->context, handle, ESYS_TR_NONE, ESYS_TR_NONE,
                                     ESYS_TR_NONE, &credential, &object, &made, &encrypted);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    size_t offset = 0;
    rc = mu.TPM2B_ID_OBJECT_Marshal(made, blob, *blob_count, &offset);
    *blob_count = offset;
    if (rc == TSS2_RC_SUCCESS) {
        offset = 0;
        rc = mu.TPM2B_ENCRYPTED_SECRET_Marshal(encrypted, seed, *seed_count, &offset);
        *seed_count = offset;
    }
    esys.Free(made);
    esys.Free(encrypted);
    return rc;
}

/* The policy of TCG's default endorsement keys: TPM2_PolicySecret of the endorsement hierarchy. */
static TSS2_RC endorsement_session(bootgate_tpm *tpm, ESYS_TR *session)
{
    TPMT_SYM_DEF none = { .algorithm = TPM2_ALG_NULL };
    tpm->command = "TPM2_StartAuthSession";
    TSS2_RC rc = esys.StartAuthSession(tpm->context, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                       ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_POLICY, &none,
                                       TPM2_ALG_SHA256, session);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    tpm->command = "TPM2_PolicySecret";
    rc = esys.PolicySecret(tpm->context, ESYS_TR_RH_ENDORSEMENT, *session, ESYS_TR_PASSWORD,
                           ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL, NULL);
    if (rc != TSS2_RC_SUCCESS)
        esys.FlushContext(tpm->context, *session);
    return rc;
}

uint32_t bootgate_tpm_activate_credential(bootgate_tpm *tpm, uint32_t key, uint32_t endorsement_key,
                                          const uint8_t *blob, size_t blob_count,
                                          const uint8_t *seed, size_t seed_count, uint8_t *secret,
                                          size_t *secret_count)
{
    TPM2B_ID_OBJECT object = { 0 };
    TPM2B_ENCRYPTED_SECRET encrypted = { 0 };
    size_t blob_end = 0, seed_end = 0;
    tpm->command = "TPM2_ActivateCredential";
    TSS2_RC rc = mu.TPM2B_ID_OBJECT_Unmarshal(blob, blob_count, &blob_end, &object);
    if (rc == TSS2_RC_SUCCESS)
        rc = mu.TPM2B_ENCRYPTED_SECRET_Unmarshal(seed, seed_count, &seed_end, &encrypted);
    if (rc == TSS2_RC_SUCCESS && (blob_end != blob_count || seed_end != seed_count))
        rc = TSS2_ESYS_RC_BAD_SIZE;
    ESYS_TR session = ESYS_TR_NONE;
    if (rc == TSS2_RC_SUCCESS)
        rc = endorsement_session(tpm, &session);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    TPM2B_DIGEST *opened = NULL;
    tpm->command = "TPM2_ActivateCredential";
    rc = esys.ActivateCredential(tpm->context, key, endorsement_key, ESYS_TR_PASSWORD, session,
                                 ESYS_TR_NONE, &object, &encrypted, &opened);
    if (rc == TSS2_RC_SUCCESS) {
        rc = put(opened->buffer, opened->size, secret, secret_count);
        esys.Free(opened);
    }
    /* The session lives on after the command, since continueSession is set or the command failed. */
    esys.FlushContext(tpm->context, session);
    return rc;
}
