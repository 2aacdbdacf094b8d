// LoopTables: the memory of a loop that is indexed by descriptor.
internal import Glibc

/// Three tables of equal length.
///
/// The loop that gets them calls `deallocate` once.
struct LoopTables {
    /// HTTP/2 streams of one loop, whose places come after those of the descriptors.
    static let streamsMax = 1 << 16
    /// Room for a request id and a peer address per descriptor.
    static let textBytes = 128

    let connections: UnsafeMutablePointer<Connection>
    /// When something has to happen to a descriptor, in loop time; 0 for never.
    let deadlines: UnsafeMutablePointer<Int64>
    let texts: Bytes

    /// calloc of a large block maps zero pages, which cost memory only once they are touched.
    init(descriptorsMax: Int) throws(EdgeError) {
        let places = descriptorsMax + Self.streamsMax
        guard
            let connectionMemory = calloc(places, MemoryLayout<Connection>.stride),
            let deadlineMemory = calloc(places, MemoryLayout<Int64>.stride),
            let textMemory = calloc(places, Self.textBytes)
        else {
            throw EdgeError(
                code: .noResources,
                message: "no memory for the connection table; lower the descriptor limit"
            )
        }
        connections = connectionMemory.assumingMemoryBound(to: Connection.self)
        deadlines = deadlineMemory.assumingMemoryBound(to: Int64.self)
        texts = textMemory.assumingMemoryBound(to: UInt8.self)
    }

    func deallocate() {
        free(connections)
        free(deadlines)
        free(texts)
    }
}
