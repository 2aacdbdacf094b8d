// ctls.c: OpenSSL's server side behind a dozen plain functions.
#include "ctls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/// Names the sessions of this program; any constant will do.
static const unsigned char session_context[] = "meridian-edge";

static const unsigned char h2_first[] = "\x02h2\x08http/1.1";
static const unsigned char http1_only[] = "\x08http/1.1";

/// Takes the first protocol of ours that the client knows; a client that knows none is refused (RFC 7301 §3.2).
static int choose_protocol(
    SSL *connection, const unsigned char **chosen, unsigned char *chosen_count, const unsigned char *offered,
    unsigned int offered_count, void *argument) {
    (void)connection;
    int offers_h2 = argument != NULL;
    const unsigned char *ours = offers_h2 ? h2_first : http1_only;
    unsigned int count = offers_h2 ? sizeof h2_first - 1 : sizeof http1_only - 1;
    unsigned char *found;
    int result = SSL_select_next_proto(&found, chosen_count, ours, count, offered, offered_count);
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

ctls_context *ctls_context_new(const uint8_t ticket_keys[ctls_ticket_key_bytes], int offers_h2) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) return NULL;
    unsigned char keys[ctls_ticket_key_bytes];
    memcpy(keys, ticket_keys, sizeof keys);
    int failed = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1
        || SSL_CTX_set_tlsext_ticket_keys(context, keys, sizeof keys) != 1
        || SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1) != 1;
    OPENSSL_cleanse(keys, sizeof keys);
    if (failed) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_options(
        context,
        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    // Buffers are given back between records, so that an idle connection costs little.
    SSL_CTX_set_mode(
        context,
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, offers_h2 ? context : NULL);
    return context;
}

static int choose_host(SSL *connection, int *alert, void *argument) {
    const ctls_choice *choice = argument;
    SSL_CTX *context = choice->choose(choice->argument, SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name));
    if (!context) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    // Takes a reference of its own; the chooser's is given back.
    SSL_set_SSL_CTX(connection, context);
    SSL_CTX_free(context);
    return SSL_TLSEXT_ERR_OK;
}

void ctls_context_set_choice(ctls_context *context, const ctls_choice *choice) {
    SSL_CTX_set_tlsext_servername_callback(context, choose_host);
    SSL_CTX_set_tlsext_servername_arg(context, (void *)choice);
}

/// Without a passphrase OpenSSL must not ask for one at the terminal.
static int no_passphrase(char *bytes, int count, int writing, void *argument) {
    (void)bytes, (void)count, (void)writing, (void)argument;
    return 0;
}

static int use_chain(SSL_CTX *context, const char *chain, size_t count) {
    BIO *source = BIO_new_mem_buf(chain, (int)count);
    if (!source) return 0;
    X509 *own = PEM_read_bio_X509_AUX(source, NULL, no_passphrase, NULL);
    int done = own && SSL_CTX_use_certificate(context, own) == 1;
    X509_free(own);
    X509 *next;
    while (done && (next = PEM_read_bio_X509(source, NULL, no_passphrase, NULL))) {
        done = SSL_CTX_add0_chain_cert(context, next) == 1;
        if (!done) X509_free(next);
    }
    BIO_free(source);
    // The reader ends by reporting that there is no further certificate.
    if (done) ERR_clear_error();
    return done;
}

static int use_key(SSL_CTX *context, const char *key, size_t count) {
    BIO *source = BIO_new_mem_buf(key, (int)count);
    if (!source) return 0;
    EVP_PKEY *own = PEM_read_bio_PrivateKey(source, NULL, no_passphrase, NULL);
    int done = own && SSL_CTX_use_PrivateKey(context, own) == 1;
    EVP_PKEY_free(own);
    BIO_free(source);
    return done;
}

int ctls_context_set_certificate(
    ctls_context *context, const char *chain, size_t chain_count, const char *key, size_t key_count, char *reason,
    size_t reason_count) {
    ERR_clear_error();
    const char *what = "the certificate chain";
    int done = use_chain(context, chain, chain_count);
    if (done) {
        what = "the private key";
        done = use_key(context, key, key_count) && SSL_CTX_check_private_key(context) == 1;
    }
    if (!done) {
        const char *words = ERR_reason_error_string(ERR_peek_last_error());
        snprintf(reason, reason_count, "%s: %s", what, words ? words : "not PEM text");
    }
    ERR_clear_error();
    return done;
}

void ctls_context_retain(ctls_context *context) { SSL_CTX_up_ref(context); }

void ctls_context_release(ctls_context *context) { SSL_CTX_free(context); }

ctls_connection *ctls_accept(ctls_context *context, int socket) {
    SSL *connection = SSL_new(context);
    if (!connection) return NULL;
    if (SSL_set_fd(connection, socket) != 1) {
        SSL_free(connection);
        return NULL;
    }
    SSL_set_accept_state(connection);
    return connection;
}

static int outcome(SSL *connection, int result) {
    switch (SSL_get_error(connection, result)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE: return ctls_blocked;
        case SSL_ERROR_ZERO_RETURN: return ctls_ended;
        default: ERR_clear_error(); return ctls_broken;
    }
}

int ctls_handshake(ctls_connection *connection) {
    ERR_clear_error();
    int result = SSL_do_handshake(connection);
    return result == 1 ? 1 : outcome(connection, result);
}

ptrdiff_t ctls_read(ctls_connection *connection, void *bytes, size_t count) {
    ERR_clear_error();
    size_t got = 0;
    int result = SSL_read_ex(connection, bytes, count, &got);
    return result == 1 ? (ptrdiff_t)got : outcome(connection, result);
}

ptrdiff_t ctls_write(ctls_connection *connection, const void *bytes, size_t count) {
    ERR_clear_error();
    size_t taken = 0;
    int result = SSL_write_ex(connection, bytes, count, &taken);
    return result == 1 ? (ptrdiff_t)taken : outcome(connection, result);
}

void ctls_end(ctls_connection *connection) {
    ERR_clear_error();
    // OpenSSL refuses during a handshake and after a fatal alert; nobody waits for the peer's answer.
    if (SSL_is_init_finished(connection)) SSL_shutdown(connection);
    ERR_clear_error();
}

void ctls_free(ctls_connection *connection) { SSL_free(connection); }

int ctls_is_h2(const ctls_connection *connection) {
    const unsigned char *name;
    unsigned int count;
    SSL_get0_alpn_selected(connection, &name, &count);
    return count == 2 && memcmp(name, "h2", 2) == 0;
}

int ctls_is_resumed(const ctls_connection *connection) { return SSL_session_reused(connection); }

int ctls_block_pipe_signal(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    return -pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

int ctls_random(uint8_t *bytes, size_t count) { return RAND_bytes(bytes, (int)count) == 1; }
