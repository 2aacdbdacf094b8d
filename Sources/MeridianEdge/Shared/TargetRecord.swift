// TargetRecord: one revision or address backend and its runners, shared by all loops.
internal import CLinux
internal import MeridianModel
internal import MeridianRouting
internal import Synchronization

/// Where requests of a route slot go.
///
/// Its index is the same on every loop.
final class TargetRecord: Sendable {
    let index: Int32
    let slot: RouteSlot
    /// The revision's key, or the address.
    let key: String
    /// What `x-meridian-revision` says; empty for an address.
    let name: [UInt8]
    private let line = CounterLine()
    /// One per loop that has sent a request here.
    private let meters = Mutex<[TargetMeter]>([])

    init(index: Int32, slot: RouteSlot) {
        self.index = index
        self.slot = slot
        switch slot {
        case .revision(let key):
            self.key = key
            name = Array(revisionName(key).utf8)
        case .address(let address):
            key = address.description
            name = []
        }
    }

    var counters: TargetCounters { TargetCounters(words: line.words) }

    /// What all loops measured; nil where none has sent a request here.
    var measures: TargetMeasures? {
        meters.withLock { meters in
            guard !meters.isEmpty else { return nil }
            var sum = TargetMeasures()
            for meter in meters { meter.add(to: &sum) }
            return sum
        }
    }

    /// The cells for one more loop; they live as long as the record.
    func makeMeter() -> MeterWriter {
        let meter = TargetMeter()
        meters.withLock { $0.append(meter) }
        return MeterWriter(words: meter.words)
    }
}

/// One place that requests are sent to.
final class RunnerRecord: Sendable {
    let endpoint: RunnerEndpoint
    let address: clinux_address
    private let line = CounterLine()

    /// A runner on 127.0.0.1 of its network namespace.
    init(_ endpoint: RunnerEndpoint) {
        self.endpoint = endpoint
        address = clinux_address_v4([127, 0, 0, 1], endpoint.port)
    }

    /// A server outside Meridian, reached from the edge's own network.
    init(_ address: NumericAddress) {
        endpoint = RunnerEndpoint(id: address.description, networkNamespace: -1, port: address.port)
        self.address = address.socketAddress
    }

    var counters: RunnerCounters { RunnerCounters(words: line.words) }
}

extension NumericAddress {
    /// The address as the kernel takes it.
    var socketAddress: clinux_address {
        bytes.count == 4 ? clinux_address_v4(bytes, port) : clinux_address_v6(bytes, port)
    }
}
