// SyscallFacts+Sharing: memory, queues and semaphores that processes share by name or number.

extension SyscallFacts {
    static let ofSharing = """
        29 shmget medium Makes or finds shared memory of System V, which stays when its makers end.
        30 shmat medium Maps such memory.
        31 shmctl medium Describes, changes or removes such memory.
        67 shmdt low Unmaps such memory.
        64 semget medium Makes or finds semaphores of System V.
        65 semop low Changes such semaphores, and waits.
        66 semctl medium Describes, sets or removes such semaphores.
        220 semtimedop low Changes such semaphores, and waits for some time.
        68 msgget medium Makes or finds a message queue of System V; such queues help to shape kernel memory.
        69 msgsnd medium Puts a message into such a queue.
        70 msgrcv medium Takes a message from such a queue.
        71 msgctl medium Describes, changes or removes such a queue.
        240 mq_open medium Opens a POSIX message queue; runners may have none.
        241 mq_unlink medium Removes a POSIX message queue.
        242 mq_timedsend medium Puts a message into a POSIX queue.
        243 mq_timedreceive medium Takes a message from a POSIX queue.
        244 mq_notify medium Asks to be told of a message; had grave flaws.
        245 mq_getsetattr medium Describes and changes a POSIX queue.
        """
}
