// SyscallFacts+Descriptors: reading, writing, waiting and copying on open descriptors.

extension SyscallFacts {
    static let ofDescriptors = """
        0 read low Reads from a descriptor.
        1 write low Writes to a descriptor.
        17 pread64 low Reads at a place in a file.
        18 pwrite64 low Writes at a place in a file.
        19 readv low Reads into several buffers.
        20 writev low Writes from several buffers.
        295 preadv low Reads at a place into several buffers.
        296 pwritev low Writes at a place from several buffers.
        327 preadv2 low Reads at a place into several buffers, with flags.
        328 pwritev2 low Writes at a place from several buffers, with flags.
        3 close low Closes a descriptor.
        436 close_range low Closes a range of descriptors.
        32 dup low Copies a descriptor.
        33 dup2 low Copies a descriptor to a chosen number.
        292 dup3 low Copies a descriptor to a chosen number, with flags.
        22 pipe low Makes a pipe.
        293 pipe2 low Makes a pipe, with flags.
        8 lseek low Moves the place in a file.
        16 ioctl low Sends a command to a device or socket; the filter permits a few harmless ones.
        72 fcntl low Asks and changes a descriptor's flags and locks.
        73 flock low Locks a whole file.
        7 poll low Waits for descriptors.
        271 ppoll low Waits for descriptors, with a signal mask.
        23 select low Waits for descriptors, in its oldest form.
        270 pselect6 low Waits for descriptors as select does, with a signal mask.
        213 epoll_create low Makes a set of watched descriptors.
        291 epoll_create1 low Makes a set of watched descriptors, with flags.
        233 epoll_ctl low Changes such a set.
        232 epoll_wait low Waits for such a set.
        281 epoll_pwait low Waits for such a set, with a signal mask.
        441 epoll_pwait2 low Waits for such a set, to the nanosecond.
        284 eventfd low Makes a counter to wake threads by.
        290 eventfd2 low Makes a counter to wake threads by, with flags.
        253 inotify_init low Makes a queue of file changes.
        294 inotify_init1 low Makes a queue of file changes, with flags.
        254 inotify_add_watch low Watches a file or directory for changes.
        255 inotify_rm_watch low Ends such a watch.
        40 sendfile low Copies from a file to a socket inside the kernel.
        275 splice low Moves bytes between a pipe and a descriptor inside the kernel.
        276 tee medium Copies bytes from one pipe to another; rarely used, and had flaws.
        278 vmsplice medium Hands memory pages to a pipe; rarely used, and had grave flaws.
        326 copy_file_range low Copies between files inside the kernel.
        74 fsync low Writes a file and its metadata to the disk.
        75 fdatasync low Writes a file's content to the disk.
        277 sync_file_range medium Writes a part of a file to the disk, without its metadata.
        187 readahead low Reads a part of a file into the cache.
        221 fadvise64 low Says how a file will be read.
        285 fallocate low Reserves or frees space of a file.
        318 getrandom low Gives random bytes; every cryptographic library uses it.
        206 io_setup medium Makes a queue of the old asynchronous file interface.
        207 io_destroy medium Removes such a queue.
        208 io_getevents medium Takes finished operations from such a queue.
        209 io_submit medium Starts operations of such a queue.
        210 io_cancel medium Cancels an operation of such a queue.
        333 io_pgetevents medium Takes finished operations, with a signal mask.
        425 io_uring_setup high Makes a ring of asynchronous operations: they pass by every filter, and gave many \
        ways into the kernel.
        426 io_uring_enter high Starts and awaits operations of such a ring.
        427 io_uring_register high Registers buffers and files with such a ring.
        """
}
