// SyscallFacts+Files: opening, listing, changing and describing files.

extension SyscallFacts {
    static let ofFiles = """
        2 open low Opens a file.
        257 openat low Opens a file relative to a directory; what libraries use today.
        437 openat2 low Opens a file with rules on how its path may be walked.
        85 creat low Makes a file and opens it for writing.
        4 stat low Describes a file.
        5 fstat low Describes an open file.
        6 lstat low Describes a file without following a last link.
        262 newfstatat low Describes a file relative to a directory.
        332 statx low Describes a file, with more fields.
        21 access low Tells whether a file may be opened so.
        269 faccessat low Tells the same relative to a directory.
        439 faccessat2 low Tells the same, with flags.
        78 getdents low Lists a directory, in its oldest form.
        217 getdents64 low Lists a directory.
        79 getcwd low Tells the working directory.
        80 chdir low Changes the working directory.
        81 fchdir low Changes the working directory to an open one.
        161 chroot high Changes the process's root; with a capability it is a way out of an outer one.
        82 rename low Renames a file.
        264 renameat low Renames a file relative to directories.
        316 renameat2 low Renames, or exchanges two files.
        83 mkdir low Makes a directory.
        258 mkdirat low Makes a directory relative to another.
        84 rmdir low Removes an empty directory.
        86 link low Gives a file another name.
        265 linkat low Gives a file another name relative to directories.
        87 unlink low Removes a name of a file.
        263 unlinkat low Removes a name relative to a directory.
        88 symlink low Makes a symbolic link.
        266 symlinkat low Makes a symbolic link relative to a directory.
        89 readlink low Tells where a symbolic link leads.
        267 readlinkat low Tells the same relative to a directory.
        90 chmod low Changes a file's mode.
        91 fchmod low Changes an open file's mode.
        268 fchmodat low Changes a mode relative to a directory.
        452 fchmodat2 low Changes a mode relative to a directory, with flags.
        92 chown low Changes a file's owner; without privilege only the group.
        93 fchown low Changes an open file's owner.
        94 lchown low Changes a link's owner.
        260 fchownat low Changes an owner relative to a directory.
        95 umask low Sets which mode bits new files lack.
        76 truncate low Cuts a file to a length.
        77 ftruncate low Cuts an open file to a length.
        132 utime low Sets a file's times, to the second.
        235 utimes low Sets a file's times, to the microsecond.
        261 futimesat low Sets times relative to a directory.
        280 utimensat low Sets times relative to a directory, to the nanosecond.
        137 statfs low Describes a file system.
        138 fstatfs low Describes an open file's file system.
        136 ustat medium Describes a file system by device number; long replaced by statfs.
        139 sysfs medium Lists file system types by number; long obsolete.
        188 setxattr medium Sets an extended attribute; some of them carry privileges.
        189 lsetxattr medium Sets one of a link.
        190 fsetxattr medium Sets one of an open file.
        191 getxattr low Reads an extended attribute.
        192 lgetxattr low Reads one of a link.
        193 fgetxattr low Reads one of an open file.
        194 listxattr low Lists extended attributes.
        195 llistxattr low Lists those of a link.
        196 flistxattr low Lists those of an open file.
        197 removexattr medium Removes an extended attribute.
        198 lremovexattr medium Removes one of a link.
        199 fremovexattr medium Removes one of an open file.
        133 mknod medium Makes a device node, pipe or socket file; device nodes need a capability.
        259 mknodat medium Makes the same relative to a directory.
        303 name_to_handle_at medium Gives a file's handle, which outlives its name.
        304 open_by_handle_at high Opens a file by its handle, past every mount and root: the known way out of \
        containers.
        300 fanotify_init high Watches whole file systems, and may decide on every opening.
        301 fanotify_mark high Chooses what such a watch covers.
        162 sync medium Writes everything on the machine to its disks.
        306 syncfs medium Writes one whole file system to its disk.
        251 ioprio_set medium Changes how disk requests are ranked.
        252 ioprio_get low Tells how they are ranked.
        """
}
