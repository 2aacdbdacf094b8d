// SyscallFacts+Mounts: namespaces, mounts and roots.

extension SyscallFacts {
    static let ofMounts = """
        272 unshare high Moves the process into new namespaces; a user namespace gives every capability within.
        308 setns high Enters a namespace of another process.
        155 pivot_root high Exchanges the root of the mount namespace.
        165 mount high Mounts a file system.
        166 umount2 high Unmounts, and so uncovers what a mount hides.
        428 open_tree high Opens a mount, or a copy of one, as a descriptor.
        429 move_mount high Moves or attaches a mount.
        430 fsopen high Begins to make a file system; its parser was a way into the kernel.
        431 fsconfig high Sets a parameter of a file system in the making.
        432 fsmount high Turns a finished file system into a mount.
        433 fspick high Opens a mounted file system to change it.
        442 mount_setattr high Changes a mount's flags, such as read-only.
        167 swapon high Begins to swap to a file.
        168 swapoff high Ends swapping to a file.
        179 quotactl high Changes disk quotas.
        443 quotactl_fd high Changes disk quotas of an open file system.
        """
}
