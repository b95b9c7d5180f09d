#ifndef BOOTGATE_COPENSSL_SHIM_H
#define BOOTGATE_COPENSSL_SHIM_H

/* Nothing here is newer than OpenSSL 3.0's API. */
#include <malloc.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

/* One function for each macro that Swift cannot import, named after it. */

static inline int bootgate_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}

static inline int bootgate_SSL_CTX_set_max_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_max_proto_version(context, version);
}

static inline int bootgate_SSL_CTX_set1_groups_list(SSL_CTX *context, const char *groups) {
    return (int)SSL_CTX_set1_groups_list(context, groups);
}

static inline void bootgate_SSL_CTX_set_mode(SSL_CTX *context, long mode) {
    SSL_CTX_set_mode(context, mode);
}

static inline void bootgate_SSL_CTX_set_session_cache_off(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline uint64_t bootgate_SSL_OP_NO_RENEGOTIATION(void) { return SSL_OP_NO_RENEGOTIATION; }
static inline uint64_t bootgate_SSL_OP_NO_TICKET(void) { return SSL_OP_NO_TICKET; }
static inline uint64_t bootgate_SSL_OP_NO_COMPRESSION(void) { return SSL_OP_NO_COMPRESSION; }

static inline int bootgate_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline int bootgate_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

static inline size_t bootgate_BIO_pending(BIO *bio) { return BIO_ctrl_pending(bio); }

static inline long bootgate_BIO_get_mem_data(BIO *bio, char **data) {
    return BIO_get_mem_data(bio, data);
}

static inline int bootgate_EVP_CIPHER_CTX_set_tag(EVP_CIPHER_CTX *context, int count, void *tag) {
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, count, tag);
}

static inline int bootgate_EVP_CIPHER_CTX_get_tag(EVP_CIPHER_CTX *context, int count, void *tag) {
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, count, tag);
}

static inline EVP_PKEY *bootgate_generate_rsa(size_t bits) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
}

static inline EVP_PKEY *bootgate_generate_ec(const char *curve) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
}

/* A secret heap: whatever OpenSSL gives back is wiped first, so that freed memory holds nothing. */

static inline void bootgate_wiping_free(void *block, const char *file, int line) {
    (void)file;
    (void)line;
    if (block == NULL) return;
    OPENSSL_cleanse(block, malloc_usable_size(block));
    free(block);
}

static inline void *bootgate_plain_malloc(size_t count, const char *file, int line) {
    (void)file;
    (void)line;
    return malloc(count);
}

/* `realloc` of libc could move the block and leave the old one as it was. */
static inline void *bootgate_wiping_realloc(void *block, size_t count, const char *file, int line) {
    if (block == NULL) return malloc(count);
    if (count == 0) {
        bootgate_wiping_free(block, file, line);
        return NULL;
    }
    size_t held = malloc_usable_size(block);
    if (held >= count) return block;
    void *moved = malloc(count);
    if (moved == NULL) return NULL;
    memcpy(moved, block, held);
    bootgate_wiping_free(block, file, line);
    return moved;
}

static inline int bootgate_use_wiping_heap(void) {
    return CRYPTO_set_mem_functions(
        bootgate_plain_malloc, bootgate_wiping_realloc, bootgate_wiping_free);
}

/* Overwrites the stack below its caller, where finished calls may have left parts of keys. */
__attribute__((noinline)) static void bootgate_wipe_stack(void) {
    unsigned char below[32768];
    OPENSSL_cleanse(below, sizeof below);
}

#endif
