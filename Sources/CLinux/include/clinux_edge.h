// clinux_edge.h: sockets, epoll, namespaces and atomics for the edge. Calls give -errno where they fail.
#ifndef CLINUX_EDGE_H
#define CLINUX_EDGE_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

/// One event: the same layout as `struct epoll_event`, with the 64 bits of user data split in two.
typedef struct {
    uint32_t events;
    int32_t descriptor;
    uint32_t generation;
} __attribute__((packed)) clinux_event;

static const uint32_t clinux_event_in = EPOLLIN;
static const uint32_t clinux_event_out = EPOLLOUT;
static const uint32_t clinux_event_end = EPOLLRDHUP;
/// The connection is broken or gone in both directions.
static const uint32_t clinux_event_gone = EPOLLERR | EPOLLHUP;

/// A socket address of either family with its length.
typedef struct {
    struct sockaddr_storage storage;
    socklen_t length;
} clinux_address;

clinux_address clinux_address_v4(const uint8_t bytes[4], uint16_t port);
clinux_address clinux_address_v6(const uint8_t bytes[16], uint16_t port);
/// Writes the numeric host without a port into `text` (INET6_ADDRSTRLEN bytes); an IPv4-mapped address as IPv4.
int clinux_address_text(const clinux_address *address, char *text, int capacity);
/// The 4 or 16 bytes of the address in network order; an IPv4-mapped one as IPv4. Gives how many, 0 for other families.
int clinux_address_bytes(const clinux_address *address, uint8_t bytes[16]);
uint16_t clinux_address_port(const clinux_address *address);

int clinux_epoll_create(void);
/// Level-triggered, readable only: listeners and the wake-up descriptor.
int clinux_epoll_add_level(int epoll, int descriptor, uint32_t generation);
/// Edge-triggered, both directions and the peer's end: connections. Registered once, never changed.
int clinux_epoll_add_edge(int epoll, int descriptor, uint32_t generation);
int clinux_epoll_wait(int epoll, clinux_event *events, int capacity, int milliseconds);
int clinux_eventfd(void);
int clinux_eventfd_signal(int descriptor);
int clinux_eventfd_clear(int descriptor);

/// A non-blocking listener with SO_REUSEADDR, SO_REUSEPORT and TCP_NODELAY (which accepted sockets inherit).
int clinux_listen(const clinux_address *address, int backlog);
int clinux_accept(int listener, clinux_address *peer);
int clinux_local_address(int descriptor, clinux_address *address);
/// A non-blocking stream socket with TCP_NODELAY, made in the calling thread's network namespace.
int clinux_stream_socket(int family);
/// 0 connected, 1 under way.
int clinux_connect(int descriptor, const clinux_address *address);
/// The pending error of a socket, as a positive errno; 0 for none.
int clinux_socket_error(int descriptor);
ssize_t clinux_receive(int descriptor, void *bytes, size_t count);
ssize_t clinux_send(int descriptor, const void *bytes, size_t count);
ssize_t clinux_send_both(int descriptor, const void *first, size_t firstCount, const void *second, size_t secondCount);
int clinux_shut_writing(int descriptor);

/// A descriptor of the calling thread's network namespace.
int clinux_own_network_namespace(void);
/// Moves the calling thread into a network namespace (setns(2) with CLONE_NEWNET).
int clinux_enter_network_namespace(int descriptor);

/// A spare descriptor on /dev/null, given up for a moment to refuse a connection when none is left.
int clinux_spare_descriptor(void);
/// Raises the soft limit of descriptors to the hard one and returns it.
int64_t clinux_raise_descriptor_limit(void);
uint64_t clinux_random_seed(void);
/// Microseconds of CLOCK_MONOTONIC, read once per batch of events.
int64_t clinux_loop_microseconds(void);
/// Names the calling thread for process viewers; 15 bytes at most are kept.
void clinux_name_thread(const char *name);
/// Processors that the calling thread may run on, as taskset and cpusets leave them.
int clinux_usable_processors(void);

static inline int64_t clinux_atomic_load(const int64_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
static inline void clinux_atomic_store(int64_t *word, int64_t value) {
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}
static inline int64_t clinux_atomic_add(int64_t *word, int64_t amount) {
    return __atomic_add_fetch(word, amount, __ATOMIC_SEQ_CST);
}
static inline int64_t clinux_atomic_relaxed_load(const int64_t *word) {
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}
static inline void clinux_atomic_relaxed_store(int64_t *word, int64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}
static inline int64_t clinux_atomic_relaxed_add(int64_t *word, int64_t amount) {
    return __atomic_add_fetch(word, amount, __ATOMIC_RELAXED);
}
/// Adds one where the word is below `limit`; whether it did.
static inline int clinux_atomic_increment_below(int64_t *word, int64_t limit) {
    int64_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    while (seen < limit) {
        if (__atomic_compare_exchange_n(word, &seen, seen + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return 1;
    }
    return 0;
}
/// Sets the word to `value` where it still is `expected`; whether it did.
static inline int clinux_atomic_exchange(int64_t *word, int64_t expected, int64_t value) {
    return __atomic_compare_exchange_n(word, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

#endif
