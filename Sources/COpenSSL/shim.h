#ifndef BOOTGATE_COPENSSL_SHIM_H
#define BOOTGATE_COPENSSL_SHIM_H

#include <openssl/ssl.h>

#endif
