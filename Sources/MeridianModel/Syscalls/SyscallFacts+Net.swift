// SyscallFacts+Net: sockets.

extension SyscallFacts {
    static let ofNet = """
        41 socket low Makes a socket; every filter permits UNIX, IPv4 and IPv6 only.
        53 socketpair low Makes two connected sockets.
        49 bind low Gives a socket its own address.
        50 listen low Lets a socket take connections.
        43 accept low Takes a connection.
        288 accept4 low Takes a connection, with flags.
        42 connect low Connects a socket.
        51 getsockname low Tells a socket's own address.
        52 getpeername low Tells the other side's address.
        54 setsockopt low Sets an option of a socket.
        55 getsockopt low Tells an option of a socket.
        44 sendto low Sends, to an address where there is no connection.
        45 recvfrom low Receives, and tells from whom.
        46 sendmsg low Sends several buffers, and descriptors over UNIX sockets.
        47 recvmsg low Receives several buffers, and descriptors over UNIX sockets.
        307 sendmmsg low Sends several messages.
        299 recvmmsg low Receives several messages.
        48 shutdown low Ends one direction of a connection.
        """
}
