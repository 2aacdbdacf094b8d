// clinux_runners.h: what runners need of Linux beyond the Glibc module: mounts, namespaces, pidfds, epoll.
//
// Every call returns -1 with errno where it fails.
#ifndef CLINUX_RUNNERS_H
#define CLINUX_RUNNERS_H

#include <stddef.h>
#include <stdint.h>

/// A pipe, both ends close-on-exec, the reading end non-blocking: pipe2(2).
int clinux_pipe(int *reading, int *writing);

/// A connected SOCK_SEQPACKET pair, close-on-exec.
int clinux_packet_pair(int *first, int *second);

/// A detached read-only nosuid nodev copy of the mounts at `path`: open_tree(2), mount_setattr(2).
int clinux_open_tree_read_only(const char *path);

/// A file in memory, close-on-exec: memfd_create(2).
int clinux_memory_file(const char *name);

/// Sends a signal to exactly the process that the descriptor stands for: pidfd_send_signal(2).
int clinux_pidfd_signal(int pidfd, int signal);

/// A descriptor of the process that has the number now, close-on-exec: pidfd_open(2).
int clinux_pidfd_open(int pid);

/// 1 where systemd handed the cgroup at `path` to its service (Delegate=yes leaves an extended attribute), else 0.
int clinux_cgroup_is_delegated(const char *path);

/// A non-blocking TCP socket over IPv4 that lives inside another network namespace.
///
/// The calling thread enters the namespace for the one call and returns; should the return fail the process is
/// aborted, since a thread in a foreign network would connect to the wrong places. Needs CAP_SYS_ADMIN there.
/// `own` is a descriptor of the caller's namespace.
int clinux_socket_in_namespace(int network_namespace, int own);

/// Opens a file of /proc/thread-self/net for reading as seen from another network namespace; close-on-exec.
///
/// The file shows that namespace whoever reads it, so no process id is needed that could mean another process by now.
/// Enters and returns as `clinux_socket_in_namespace` does.
int clinux_open_in_namespace(int network_namespace, int own, const char *path);

/// Starts connecting a non-blocking socket to 127.0.0.1; 0 where connected at once.
int clinux_connect_loopback(int socket, uint16_t port);

/// 1 where the socket is connected, 0 where it is still connecting, -1 with errno where it was refused.
int clinux_connected(int socket);

/// epoll_create1(2), close-on-exec.
int clinux_poll_create(void);

/// Watches for reading and hang-up, level-triggered, under `token`.
int clinux_poll_add(int poll, int descriptor, uint64_t token);
int clinux_poll_remove(int poll, int descriptor);

/// The tokens of descriptors that are ready, at most `room`; the answer is their number (0 at the time limit).
int clinux_poll_wait(int poll, uint64_t *tokens, int room, int timeout_milliseconds);

/// Lets the calling thread's timers end when they are due, not up to 50 µs later to share a wake-up: prctl(2).
int clinux_sharpen_timers(void);

/// Waits until `descriptor` can be read or the time is over (-1: no limit); for waits below a millisecond: ppoll(2).
int clinux_wait_readable(int descriptor, int64_t nanoseconds);

/// An eventfd(2), non-blocking, close-on-exec.
int clinux_event_create(void);

#endif
