// server.swift: answers every request on $PORT with 200, over plain sockets.
import Glibc

let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
var yes: Int32 = 1
setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
var address = sockaddr_in()
address.sin_family = sa_family_t(AF_INET)
address.sin_port = (getenv("PORT").flatMap { UInt16(String(cString: $0)) } ?? 0).bigEndian
let isBound = withUnsafeBytes(of: &address) { bytes in
    bind(listener, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
}
guard isBound == 0, listen(listener, 128) == 0 else { exit(1) }
let answer = Array("HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nok\n".utf8)
var buffer = [UInt8](repeating: 0, count: 8192)
while true {
    let connection = accept(listener, nil, nil)
    if read(connection, &buffer, buffer.count) > 0 { _ = write(connection, answer, answer.count) }
    close(connection)
}
