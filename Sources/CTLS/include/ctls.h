// ctls.h: the server side of TLS on a loop's own non-blocking sockets, as OpenSSL does it; macros become functions here.
#ifndef CTLS_H
#define CTLS_H

#include <stddef.h>
#include <stdint.h>

/// What a host's connections are made with: certificate chain, key and the settings that all hosts share.
typedef struct ssl_ctx_st ctls_context;
/// One connection.
typedef struct ssl_st ctls_connection;

enum {
    ctls_ticket_key_bytes = 80,
    /// The socket has to become readable or writable first.
    ctls_blocked = -1,
    /// The peer has ended its side properly.
    ctls_ended = -2,
    /// The peer broke the protocol or the connection; nothing further can be sent.
    ctls_broken = -3,
};

/// Gives the context of a host for a connection that asks for it; NULL refuses it. `host` is NULL where none is named.
typedef ctls_context *(*ctls_chooser)(void *argument, const char *host);

/// A chooser with its argument.
typedef struct {
    ctls_chooser choose;
    void *argument;
} ctls_choice;

/// A context without a certificate, which connections begin with: `choose` gives each one its host's.
///
/// `offers_h2` decides whether HTTP/2 is negotiated before HTTP/1.1. NULL where memory is short.
ctls_context *ctls_context_new(const uint8_t ticket_keys[ctls_ticket_key_bytes], int offers_h2);
/// `choice` must outlive the context; what `choose` gives is released once the connection has it.
void ctls_context_set_choice(ctls_context *context, const ctls_choice *choice);
/// Gives a context its PEM chain (the host's own certificate first) and PEM key; writes the reason to `reason` and
/// returns 0 where they are no pair.
int ctls_context_set_certificate(
    ctls_context *context, const char *chain, size_t chain_count, const char *key, size_t key_count, char *reason,
    size_t reason_count);
void ctls_context_retain(ctls_context *context);
void ctls_context_release(ctls_context *context);

/// A connection over a socket, which stays the caller's; NULL where memory is short.
ctls_connection *ctls_accept(ctls_context *context, int socket);
/// 1 once the handshake is done, or one of the codes above.
int ctls_handshake(ctls_connection *connection);
/// Bytes read, at least 1, or one of the codes above.
ptrdiff_t ctls_read(ctls_connection *connection, void *bytes, size_t count);
/// Bytes taken, which may be fewer than given, or one of the codes above.
ptrdiff_t ctls_write(ctls_connection *connection, const void *bytes, size_t count);
/// Tells the peer that no more will be sent; ignored where the connection is broken.
void ctls_end(ctls_connection *connection);
void ctls_free(ctls_connection *connection);
/// Whether HTTP/2 was negotiated.
int ctls_is_h2(const ctls_connection *connection);
/// Whether the handshake resumed an earlier session.
int ctls_is_resumed(const ctls_connection *connection);

/// A broken connection must fail the write, not end the process: OpenSSL writes without MSG_NOSIGNAL.
int ctls_block_pipe_signal(void);
int ctls_random(uint8_t *bytes, size_t count);

#endif
