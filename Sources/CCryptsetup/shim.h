#ifndef BOOTGATE_CCRYPTSETUP_SHIM_H
#define BOOTGATE_CCRYPTSETUP_SHIM_H

#include <libcryptsetup.h>

#endif
