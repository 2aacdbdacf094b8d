// Offload: disk work on threads of its own, so that the few threads of Swift's tasks stay free.
internal import Dispatch

/// Where blocking work runs: more at once than disks like would only add seeks and memory.
private let diskQueue = DispatchQueue(label: "meridian.registry", attributes: .concurrent)

/// Runs blocking work on a thread outside the cooperative pool.
func offloaded<Answer: Sendable, Failure: Error>(
    _ work: @escaping @Sendable () throws(Failure) -> Answer
) async throws(Failure) -> Answer {
    let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Answer, Failure>, Never>) in
        diskQueue.async {
            do throws(Failure) {
                continuation.resume(returning: .success(try work()))
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    }
    return try result.get()
}
