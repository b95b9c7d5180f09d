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
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

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

/* In C, because parameters keep pointers to their names, and Swift's strings move. */
static inline int bootgate_EVP_MAC_init_sha256(
    EVP_MAC_CTX *context, const unsigned char *key, size_t count) {
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_init(context, key, count, parameters);
}

static inline EVP_PKEY *bootgate_generate_rsa(size_t bits) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
}

static inline EVP_PKEY *bootgate_generate_ec(const char *curve) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
}

/* A public key from a point in its uncompressed form; NULL for one that is not on the curve. */
static inline EVP_PKEY *bootgate_public_ec(
    const char *curve, const unsigned char *point, size_t count) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, count),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

/* A public key from its two numbers, big-endian. */
static inline EVP_PKEY *bootgate_public_rsa(
    const unsigned char *modulus, size_t modulus_count, const unsigned char *exponent,
    size_t exponent_count) {
    EVP_PKEY *key = NULL;
    BIGNUM *n = BN_bin2bn(modulus, (int)modulus_count, NULL);
    BIGNUM *e = BN_bin2bn(exponent, (int)exponent_count, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (n != NULL && e != NULL && builder != NULL && context != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
        (parameters = OSSL_PARAM_BLD_to_param(builder)) != NULL &&
        EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

/* Seconds since 1970; 0 from the function for a time that is none. */
static inline int bootgate_unix_time(const ASN1_TIME *time, int64_t *seconds) {
    struct tm parts;
    if (!ASN1_TIME_to_tm(time, &parts)) return 0;
    *seconds = (int64_t)timegm(&parts);
    return 1;
}

static inline int bootgate_EVP_PKEY_CTX_set_pss_sha384(EVP_PKEY_CTX *context) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 48) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha384()) == 1;
}

/* Adds an IP address if `text` is one, else a DNS name; takes over nothing. */
static inline int bootgate_add_alternative_name(GENERAL_NAMES *names, const char *text) {
    GENERAL_NAME *name = GENERAL_NAME_new();
    if (name == NULL) return 0;
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
    if (address != NULL) {
        GENERAL_NAME_set0_value(name, GEN_IPADD, address);
    } else {
        ERR_clear_error();
        ASN1_IA5STRING *host = ASN1_IA5STRING_new();
        if (host == NULL || !ASN1_STRING_set(host, text, -1)) {
            ASN1_IA5STRING_free(host);
            GENERAL_NAME_free(name);
            return 0;
        }
        GENERAL_NAME_set0_value(name, GEN_DNS, host);
    }
    if (sk_GENERAL_NAME_push(names, name) > 0) return 1;
    GENERAL_NAME_free(name);
    return 0;
}

/* Callbacks of libssl. They are C, so that no Swift isolation is asked for on a foreign thread. */

/* SHA-256 of the DER SubjectPublicKeyInfo; 0 where there is none. */
static inline int bootgate_public_key_info_digest(X509_PUBKEY *info, unsigned char digest[32]) {
    unsigned char *der = NULL;
    int count = i2d_X509_PUBKEY(info, &der);
    if (count <= 0) return 0;
    int done = EVP_Digest(der, (size_t)count, digest, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
    return done;
}

static inline int bootgate_certificate_key_digest(const X509 *certificate, unsigned char digest[32]) {
    return bootgate_public_key_info_digest(X509_get_X509_PUBKEY(certificate), digest);
}

static inline int bootgate_private_key_digest(EVP_PKEY *key, unsigned char digest[32]) {
    X509_PUBKEY *info = NULL;
    int done = X509_PUBKEY_set(&info, key) && bootgate_public_key_info_digest(info, digest);
    X509_PUBKEY_free(info);
    return done;
}

struct bootgate_pins {
    size_t count;
    unsigned char digests[16][32];
};

/* What the verification of one connection saw; hung on its SSL. */
struct bootgate_peer {
    int present;
    unsigned char digest[32];
};

/* SSL_CTX_set_cert_verify_callback: the leaf's key is pinned, and nothing else matters. */
static inline int bootgate_verify_pin(X509_STORE_CTX *store, void *argument) {
    const struct bootgate_pins *pins = (const struct bootgate_pins *)argument;
    SSL *ssl = (SSL *)X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct bootgate_peer *peer = (struct bootgate_peer *)SSL_get_app_data(ssl);
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    int pinned = 0;
    if (leaf != NULL && bootgate_certificate_key_digest(leaf, peer->digest)) {
        peer->present = 1;
        for (size_t index = 0; index < pins->count; index++)
            pinned |= CRYPTO_memcmp(peer->digest, pins->digests[index], 32) == 0;
    }
    X509_STORE_CTX_set_error(store, pinned ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
    return pinned;
}

static inline void bootgate_SSL_CTX_set_pins(SSL_CTX *context, struct bootgate_pins *pins) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, bootgate_verify_pin, pins);
}

/* SSL_CTX_set_cert_verify_callback: any certificate; who may do what with its key is decided elsewhere. */
static inline int bootgate_note_key(X509_STORE_CTX *store, void *argument) {
    (void)argument;
    SSL *ssl = (SSL *)X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct bootgate_peer *peer = (struct bootgate_peer *)SSL_get_app_data(ssl);
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    if (leaf == NULL || !bootgate_certificate_key_digest(leaf, peer->digest)) return 0;
    peer->present = 1;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

/* A client may send a certificate, and has to prove its key if it does. */
static inline void bootgate_SSL_CTX_ask_for_certificate(SSL_CTX *context) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, bootgate_note_key, NULL);
}

static inline void bootgate_SSL_set_peer(SSL *ssl, struct bootgate_peer *peer) {
    SSL_set_app_data(ssl, peer);
}

/* Chooses the one protocol `wanted`, its length before it, if it is among those offered. */
static inline int bootgate_find_protocol(
    const unsigned char **chosen, unsigned char *chosen_count, const unsigned char *offered,
    unsigned int offered_count, const unsigned char *wanted) {
    unsigned int at = 0;
    while (at < offered_count && offered[at] < offered_count - at) {
        if (offered[at] == wanted[0] && memcmp(offered + at + 1, wanted + 1, wanted[0]) == 0) {
            *chosen = wanted + 1;
            *chosen_count = wanted[0];
            return 1;
        }
        at += 1u + offered[at];
    }
    return 0;
}

/* SSL_CTX_set_alpn_select_cb: `argument` is the one protocol. */
static inline int bootgate_select_protocol(
    SSL *ssl, const unsigned char **chosen, unsigned char *chosen_count,
    const unsigned char *offered, unsigned int offered_count, void *argument) {
    (void)ssl;
    return bootgate_find_protocol(
               chosen, chosen_count, offered, offered_count, (const unsigned char *)argument)
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* The same for a server that also goes on without a protocol. */
static inline int bootgate_prefer_protocol(
    SSL *ssl, const unsigned char **chosen, unsigned char *chosen_count,
    const unsigned char *offered, unsigned int offered_count, void *argument) {
    (void)ssl;
    return bootgate_find_protocol(
               chosen, chosen_count, offered, offered_count, (const unsigned char *)argument)
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

static inline void bootgate_SSL_CTX_prefer_protocol(SSL_CTX *context, unsigned char *protocol) {
    SSL_CTX_set_alpn_select_cb(context, bootgate_prefer_protocol, protocol);
}

/* SSL_CTX_set_client_hello_cb: without the extension the callback above would not be asked. */
static inline int bootgate_require_protocol(SSL *ssl, int *alert, void *argument) {
    (void)argument;
    const unsigned char *extension;
    size_t count;
    if (SSL_client_hello_get0_ext(
            ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &extension, &count))
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    return SSL_CLIENT_HELLO_ERROR;
}

static inline void bootgate_SSL_CTX_require_protocol(SSL_CTX *context, unsigned char *protocol) {
    SSL_CTX_set_alpn_select_cb(context, bootgate_select_protocol, protocol);
    SSL_CTX_set_client_hello_cb(context, bootgate_require_protocol, NULL);
}

static inline int bootgate_sk_X509_REVOKED_num(const STACK_OF(X509_REVOKED) *entries) {
    return sk_X509_REVOKED_num(entries);
}

static inline X509_REVOKED *bootgate_sk_X509_REVOKED_value(
    const STACK_OF(X509_REVOKED) *entries, int index) {
    return sk_X509_REVOKED_value(entries, index);
}

/* Whether an issuing distribution point leaves anything out of the list, or adds other issuers' entries. */
static inline int bootgate_ISSUING_DIST_POINT_is_partial(const ISSUING_DIST_POINT *point) {
    return point->onlyuser > 0 || point->onlyCA > 0 || point->onlysomereasons != NULL ||
           point->indirectCRL > 0 || point->onlyattr > 0;
}

/* RSASSA-PSS with SHA-384, MGF1 over SHA-384, a salt of 48 bytes and the one trailer that there is. */
static inline int bootgate_is_pss_sha384(const X509_ALGOR *algorithm) {
    const ASN1_OBJECT *object = NULL;
    const void *value = NULL;
    int type = 0;
    X509_ALGOR_get0(&object, &type, &value, algorithm);
    if (OBJ_obj2nid(object) != NID_rsassaPss || type != V_ASN1_SEQUENCE) return 0;
    const ASN1_STRING *sequence = (const ASN1_STRING *)value;
    const unsigned char *next = ASN1_STRING_get0_data(sequence);
    RSA_PSS_PARAMS *parameters = d2i_RSA_PSS_PARAMS(NULL, &next, ASN1_STRING_length(sequence));
    if (parameters == NULL) return 0;
    int good = 0;
    X509_ALGOR *mask = NULL;
    const X509_ALGOR *generator = parameters->maskGenAlgorithm;
    if (generator != NULL) {
        X509_ALGOR_get0(&object, &type, &value, generator);
        if (OBJ_obj2nid(object) == NID_mgf1 && type == V_ASN1_SEQUENCE) {
            sequence = (const ASN1_STRING *)value;
            next = ASN1_STRING_get0_data(sequence);
            mask = d2i_X509_ALGOR(NULL, &next, ASN1_STRING_length(sequence));
        }
    }
    if (mask != NULL && parameters->hashAlgorithm != NULL && parameters->saltLength != NULL) {
        X509_ALGOR_get0(&object, NULL, NULL, parameters->hashAlgorithm);
        good = OBJ_obj2nid(object) == NID_sha384;
        X509_ALGOR_get0(&object, NULL, NULL, mask);
        good = good && OBJ_obj2nid(object) == NID_sha384 &&
               ASN1_INTEGER_get(parameters->saltLength) == 48 &&
               (parameters->trailerField == NULL || ASN1_INTEGER_get(parameters->trailerField) == 1);
    }
    X509_ALGOR_free(mask);
    RSA_PSS_PARAMS_free(parameters);
    return good;
}

static inline int bootgate_ERR_peek_reason(void) { return ERR_GET_REASON(ERR_peek_error()); }

/* An encrypted key must fail here; without the empty password OpenSSL would ask the terminal. */
static inline EVP_PKEY *bootgate_read_private_key(BIO *bio) {
    char nothing[1] = {0};
    return PEM_read_bio_PrivateKey(bio, NULL, NULL, nothing);
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

/* The low-level functions, which libcrypto keeps and calls deprecated: for the hundreds of thousands of
   short hashes of a log, EVP's contexts cost half as much as the hashing itself. `out` may be `data`. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static inline void bootgate_sha1(const unsigned char *data, size_t count, unsigned char *out) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, data, count);
    SHA1_Final(out, &context);
}

static inline void bootgate_sha256(const unsigned char *data, size_t count, unsigned char *out) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, data, count);
    SHA256_Final(out, &context);
}

static inline void bootgate_sha384(const unsigned char *data, size_t count, unsigned char *out) {
    SHA512_CTX context;
    SHA384_Init(&context);
    SHA384_Update(&context, data, count);
    SHA384_Final(out, &context);
}

static inline void bootgate_sha512(const unsigned char *data, size_t count, unsigned char *out) {
    SHA512_CTX context;
    SHA512_Init(&context);
    SHA512_Update(&context, data, count);
    SHA512_Final(out, &context);
}

#pragma GCC diagnostic pop

#endif
