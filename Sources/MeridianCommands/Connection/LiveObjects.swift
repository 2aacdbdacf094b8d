// LiveObjects: a watch that goes on although connections end.

internal import MeridianModel

/// Follows the objects of a query until the task is cancelled or the server refuses.
struct LiveObjects {
    let api: any ControlPlaneAPI
    let query: ObjectQuery
    let context: CommandContext

    /// The pause before a new connection; a server that restarts is back within a few of them.
    private static let retryPause = Duration.milliseconds(500)

    /// Connections in a row that broke or failed, after which the server counts as gone: half a minute.
    private static let fruitlessAttemptsMax = 60

    /// Calls `handle` for every change after `list`, and for every object again where the changes were lost.
    func follow(after list: ObjectList, _ handle: (ObjectChange) async throws -> Void) async throws {
        var version = list.resourceVersion
        var fruitless = 0
        while true {
            do {
                try await api.watch(query, after: version) { change in
                    if let newer = change.resourceVersion { version = newer }
                    if change.action != .bookmark { try await handle(change) }
                }
                fruitless = 0
            } catch let error as ControlPlaneError where error.status == ControlPlaneError.goneStatus {
                version = try await listAgain(handle)
            } catch let error as ControlPlaneError where error.status == nil {
                fruitless += 1
                guard fruitless < Self.fruitlessAttemptsMax else { throw error }
            }
            try await Task.sleep(for: Self.retryPause)
        }
    }

    private func listAgain(_ handle: (ObjectChange) async throws -> Void) async throws -> String {
        let list = try await api.list(query)
        for object in list.items { try await handle(ObjectChange(action: .modified, object: object)) }
        return list.resourceVersion
    }
}
