// SyscallFacts+Memory: mapping, protecting, sharing and placing memory.

extension SyscallFacts {
    static let ofMemory = """
        9 mmap low Maps memory or a file.
        10 mprotect low Changes whether mapped memory can be read, written and executed.
        11 munmap low Unmaps memory.
        12 brk low Moves the end of the heap.
        25 mremap low Resizes or moves a mapping.
        26 msync low Writes a mapped file back.
        27 mincore low Tells which pages are in memory.
        28 madvise low Says how memory will be used, so that the kernel can drop or read ahead.
        149 mlock low Keeps pages in memory, within a limit.
        150 munlock low Lets locked pages go.
        151 mlockall medium Keeps the whole process in memory.
        152 munlockall low Lets all locked pages go.
        325 mlock2 low Keeps pages in memory once they are touched.
        216 remap_file_pages medium Rearranges a mapping's pages; long replaced by mmap.
        319 memfd_create low Makes a file that lives in memory only.
        447 memfd_secret medium Makes memory that even the kernel has unmapped; hibernation is then off.
        329 pkey_mprotect low Protects pages with a key of the processor.
        330 pkey_alloc low Takes such a protection key.
        331 pkey_free low Gives such a protection key back.
        453 map_shadow_stack low Makes a shadow stack for processors that check return addresses.
        237 mbind medium Binds memory to certain memory nodes.
        238 set_mempolicy medium Sets from which memory nodes the thread's memory comes.
        239 get_mempolicy low Tells that policy.
        450 set_mempolicy_home_node medium Sets the preferred memory node of a range.
        256 migrate_pages medium Moves a process's pages to other memory nodes.
        279 move_pages medium Moves single pages to other memory nodes, and tells where pages are.
        440 process_madvise medium Gives memory advice for another process.
        448 process_mrelease medium Frees the memory of a dying process sooner.
        310 process_vm_readv high Reads another process's memory.
        311 process_vm_writev high Writes another process's memory.
        323 userfaultfd high Handles page faults in the program, which makes races in the kernel easy to win.
        451 cachestat low Counts which pages of a file are cached.
        """
}
