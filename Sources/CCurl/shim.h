#ifndef BOOTGATE_CCURL_SHIM_H
#define BOOTGATE_CCURL_SHIM_H

#include <curl/curl.h>

#endif
