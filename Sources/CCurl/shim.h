#ifndef BOOTGATE_CCURL_SHIM_H
#define BOOTGATE_CCURL_SHIM_H

#include <curl/curl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* curl_easy_setopt and curl_easy_getinfo are variadic. */

static inline CURLcode bootgate_curl_set_long(CURL *curl, CURLoption option, long value)
{
    return (curl_easy_setopt)(curl, option, value);
}

static inline CURLcode bootgate_curl_set_pointer(CURL *curl, CURLoption option, const void *value)
{
    return (curl_easy_setopt)(curl, option, value);
}

typedef size_t (*bootgate_curl_write)(char *data, size_t size, size_t count, void *context);

static inline CURLcode bootgate_curl_set_write(CURL *curl, bootgate_curl_write function, void *context)
{
    CURLcode code = (curl_easy_setopt)(curl, CURLOPT_WRITEFUNCTION, function);
    return code ? code : (curl_easy_setopt)(curl, CURLOPT_WRITEDATA, context);
}

static inline CURLcode bootgate_curl_set_headers(CURL *curl, bootgate_curl_write function, void *context)
{
    CURLcode code = (curl_easy_setopt)(curl, CURLOPT_HEADERFUNCTION, function);
    return code ? code : (curl_easy_setopt)(curl, CURLOPT_HEADERDATA, context);
}

/* Called at least once a second while a transfer runs; anything but 0 ends it. */
typedef int (*bootgate_curl_progress)(void *context, curl_off_t total, curl_off_t now,
                                      curl_off_t upload_total, curl_off_t upload_now);

static inline CURLcode bootgate_curl_set_progress(CURL *curl, bootgate_curl_progress function,
                                                  void *context)
{
    CURLcode code = (curl_easy_setopt)(curl, CURLOPT_XFERINFOFUNCTION, function);
    if (!code) code = (curl_easy_setopt)(curl, CURLOPT_XFERINFODATA, context);
    return code ? code : (curl_easy_setopt)(curl, CURLOPT_NOPROGRESS, 0L);
}

static inline CURLcode bootgate_curl_get_long(CURL *curl, CURLINFO info, long *value)
{
    return (curl_easy_getinfo)(curl, info, value);
}

/* Called when the connection stands, or is used again, and before anything is sent. */
typedef int (*bootgate_curl_prereq)(void *context, char *peer, char *own, int peer_port,
                                    int own_port);

static inline CURLcode bootgate_curl_set_prereq(CURL *curl, bootgate_curl_prereq function,
                                                void *context)
{
    CURLcode code = (curl_easy_setopt)(curl, CURLOPT_PREREQFUNCTION, function);
    return code ? code : (curl_easy_setopt)(curl, CURLOPT_PREREQDATA, context);
}

/* A macro with a cast. */
static inline long bootgate_curl_auth_bearer(void)
{
    return (long)CURLAUTH_BEARER;
}

/* The SSL of OpenSSL's that the running transfer uses; only inside its callbacks, and NULL where libcurl
 * was built with another library. */
static inline void *bootgate_curl_ssl(CURL *curl)
{
    struct curl_tlssessioninfo *session = NULL;

    if ((curl_easy_getinfo)(curl, CURLINFO_TLS_SSL_PTR, &session) || !session ||
        session->backend != CURLSSLBACKEND_OPENSSL)
        return NULL;
    return session->internals;
}

/* libcurl copies bodies into buffers of its own; these make it wipe each buffer that it gives back. */

static inline void bootgate_wiping_free(void *block)
{
    if (block) {
        explicit_bzero(block, malloc_usable_size(block));
        free(block);
    }
}

static inline void *bootgate_wiping_realloc(void *block, size_t size)
{
    void *moved;
    size_t old = block ? malloc_usable_size(block) : 0;

    if (block && size && size <= old)
        return block;
    moved = malloc(size);
    if (moved && block) {
        memcpy(moved, block, old < size ? old : size);
        bootgate_wiping_free(block);
    }
    return moved;
}

static inline CURLcode bootgate_curl_start(void)
{
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, bootgate_wiping_free,
                                bootgate_wiping_realloc, strdup, calloc);
}

#endif
