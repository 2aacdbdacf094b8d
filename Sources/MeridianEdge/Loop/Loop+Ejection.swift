// Loop+Ejection: runners and addresses that fail again and again get no requests for a while.
internal import MeridianRouting

extension Loop {
    /// A runner did not accept, broke off, answered what is no HTTP, or did not answer in time.
    mutating func noteRunnerFailure(_ runner: Int32) {
        guard runner >= 0 else { return }
        _ = runners[Int(runner)].counters.noteFailure(limits, now: now)
    }

    /// A runner has answered, whatever the status: that is the app's business.
    @inline(__always)
    func noteRunnerAnswer(_ runner: Int32) {
        guard runner >= 0 else { return }
        runners[Int(runner)].counters.noteAnswer(limits, now: now)
    }

    @inline(__always)
    func isEjected(_ runner: Int32) -> Bool { runners[Int(runner)].counters.isEjected(now: now) }

    /// The target of a slot, or, where that is an address that is ejected, another one of the choice that is not.
    ///
    /// A revision has its runners to turn to; what it gets is the split's to say, not its health's.
    mutating func wellTarget(_ slot: Int32, _ choice: Int32, _ view: RouteView) -> Int32 {
        let target = target(ofSlot: slot)
        guard targets[Int(target)].isAddress, isOut(target) else { return target }
        var index: Int32 = 0
        while index < view.backendCount(choice) {
            let other = view.slot(choice, index)
            index += 1
            guard other >= 0, other != slot else { continue }
            let candidate = self.target(ofSlot: other)
            if !isOut(candidate) { return candidate }
        }
        return target
    }

    /// Whether a target has runners, all of them ejected.
    private func isOut(_ target: Int32) -> Bool {
        let list = targets[Int(target)].runners
        for index in 0..<list.count where !isEjected(list[index]) { return false }
        return list.count > 0
    }
}
