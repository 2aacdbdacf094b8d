// SandboxedRunners+Shells: making shells, and a reserve of parked ones that is refilled off the request path.
internal import Glibc
internal import MeridianModel
package import MeridianPorts
internal import Synchronization

/// The shells that wait for a runner.
struct ShellReserve {
    /// How many of each shape there should be.
    var wanted: [SandboxShape: Int] = [:]
    /// By shape; the one that was parked last is the last.
    var parked: [SandboxShape: [Shell]] = [:]
    /// The one that is being made: one at a time, so that the programs that start meanwhile keep a processor.
    var making: Shell?
    /// Whether a refill is on its way.
    var isScheduled = false

    /// The shape that lacks most; nil where none lacks any.
    var mostMissing: SandboxShape? {
        let missing = wanted.map { (shape: $0.key, count: $0.value - (parked[$0.key]?.count ?? 0)) }
        return missing.filter { $0.count > 0 }.max { $0.count < $1.count }?.shape
    }

    /// Takes out what is parked beyond what is wanted.
    mutating func takeSurplus() -> [Shell] {
        var surplus: [Shell] = []
        for (shape, shells) in parked {
            let kept = min(shells.count, wanted[shape] ?? 0)
            surplus += shells[kept...]
            parked[shape] = kept > 0 ? Array(shells[..<kept]) : nil
        }
        return surplus
    }

    /// Takes the shell out, whatever it is doing.
    mutating func remove(_ shell: Shell) {
        if making === shell { making = nil }
        parked[shell.shape]?.removeAll { $0 === shell }
    }
}

extension SandboxedRunners {
    /// The first port of a runner; below Linux's ephemeral ports and above what programs have as default.
    static let firstPort: UInt16 = 20_000
    /// Open files of one runner: what servers of many connections ask for.
    private static let descriptorsMax: UInt32 = 65_536
    /// One file per 16 KiB of a tmpfs, but at least this many: an inode costs kernel memory that the runner pays for.
    private static let inodesMin: UInt64 = 1024
    /// Most programs are ready this long after their start: before, a refill would take a processor from them.
    private static let refillDelay = Duration.milliseconds(10)
    /// A node that is half full parks no more shells, so that none takes the place of a runner.
    private static let slotsForReserve = runnersMax / 2

    package func keepReady(_ counts: [SandboxShape: Int]) {
        let surplus = state.withLock { state in
            state.reserve.wanted = counts
            return state.reserve.takeSurplus()
        }
        for shell in surplus { shell.dismiss() }
        scheduleRefill()
    }

    /// How many shells are parked now.
    package var parkedCount: Int { state.withLock { $0.reserve.parked.values.reduce(0) { $0 + $1.count } } }

    /// A parked shell of the shape, which is the caller's from now on; nil where there is none.
    func takeParked(_ shape: SandboxShape) -> Shell? {
        state.withLock { $0.reserve.parked[shape]?.popLast() }
    }

    /// Refills the reserve soon, but not now.
    func scheduleRefill() {
        let isFirst = state.withLock { state in
            defer { state.reserve.isScheduled = true }
            return !state.reserve.isScheduled
        }
        if isFirst { loop.perform(after: Self.refillDelay) { [weak self] in self?.refill() } }
    }

    /// Makes one missing shell; the next follows when it is parked.
    ///
    /// On the loop's thread. Where no zygote serves, the start that launches one refills.
    private func refill() {
        let next: (shape: SandboxShape, zygote: Zygote)? = state.withLock { state in
            state.reserve.isScheduled = false
            guard !state.isShutDown, state.reserve.making == nil, state.slotsTaken < Self.slotsForReserve,
                case .success(let zygote) = state.zygote?.current, let shape = state.reserve.mostMissing
            else { return nil }
            return (shape, zygote)
        }
        guard let next else { return }
        do throws(RunnerError) {
            let shell = try makeShell(next.shape, from: next.zygote)
            state.withLock { $0.reserve.making = shell }
        } catch {
            // A start of this shape meets the same and says so; the one after it tries to refill again.
            return
        }
    }

    private func noteParked(_ shell: Shell) {
        let surplus: [Shell]? = state.withLock { state in
            guard state.reserve.making === shell else { return nil }
            state.reserve.making = nil
            state.reserve.parked[shell.shape, default: []].append(shell)
            // It may not be wanted any more.
            return state.reserve.takeSurplus()
        }
        guard let surplus else { return }
        for shell in surplus { shell.dismiss() }
        refill()
    }

    private func noteEnd(_ shell: Shell) {
        state.withLock { state in
            state.reserve.remove(shell)
            state.freeSlots.append(shell.slot)
        }
        if shell.leavesGroup, let cgroup = shell.cgroup { removeLater(cgroup, of: shell.slot) }
    }

    /// Asks the zygote for a shell; returns before it is made.
    func makeShell(_ shape: SandboxShape, from zygote: Zygote) throws(RunnerError) -> Shell {
        let slot = try takeSlot()
        do throws(SystemError) {
            let (report, reportEnd) = try PacketSocket.pair()
            let name = "shell.\(slot)"
            let shell = Shell(
                shape: shape,
                slot: slot,
                cgroup: cgroups.version == .none ? nil : try RunnerCgroup.make(name, shape, in: cgroups),
                report: report,
                loop: loop,
                onParked: { [weak self] in self?.noteParked($0) },
                onEnd: { [weak self] in self?.noteEnd($0) }
            )
            do throws(SystemError) {
                try shell.attach()
                let joining = try shell.cgroup?.openForJoining() ?? (descriptors: [], isBirthplace: false)
                let packet = packet(name, shape, slot, isBornInCgroup: joining.isBirthplace)
                try zygote.request(packet.encoded(), [reportEnd] + joining.descriptors)
            } catch {
                shell.abandon()
                throw error
            }
            return shell
        } catch {
            let message = "a sandbox with its limits cannot be had: \(error). See spec.resources"
            throw RunnerError(reason: "LimitRefused", message: message)
        }
    }

    private func packet(_ name: String, _ shape: SandboxShape, _ slot: Int, isBornInCgroup: Bool) -> ParkPacket {
        ParkPacket(
            name: name,
            user: firstUser + UInt32(slot),
            isWritable: shape.filesWritable,
            bornInCgroup: isBornInCgroup,
            scratchBytes: UInt64(shape.temporary.bytes),
            scratchInodes: max(Self.inodesMin, UInt64(shape.temporary.bytes) / 16_384),
            dataBytes: cgroups.has("memory") ? 0 : UInt64(shape.memory.bytes),
            processes: cgroups.has("pids") ? 0 : UInt32(clamping: shape.pids + 1),
            descriptors: Self.descriptorsMax
        )
    }

    /// Slots that were never used come first, then the one that has been free for the longest: with a slot come a user id
    /// and a port, and those of a runner that has just ended are best left alone for a while.
    private func takeSlot() throws(RunnerError) -> Int {
        let slot: Int? = state.withLock { state in
            if state.nextSlot < Self.runnersMax {
                state.nextSlot += 1
                return state.nextSlot - 1
            }
            return state.freeSlots.isEmpty ? nil : state.freeSlots.removeFirst()
        }
        if let slot {
            // From here on a group of its name is the new shell's.
            state.withLock { _ = $0.leftGroups.removeValue(forKey: slot) }
            return slot
        }
        throw RunnerError(reason: "LimitRefused", message: "the node has \(Self.runnersMax) runners already")
    }
}
