#ifndef BOOTGATE_CCRYPTSETUP_SHIM_H
#define BOOTGATE_CCRYPTSETUP_SHIM_H

#include <libcryptsetup.h>

/* UINT32_C macros do not import into Swift. */

static inline uint32_t bootgate_CRYPT_PBKDF_NO_BENCHMARK(void)
{
    return CRYPT_PBKDF_NO_BENCHMARK;
}

static inline uint32_t bootgate_CRYPT_ACTIVATE_READONLY(void)
{
    return CRYPT_ACTIVATE_READONLY;
}

#endif
