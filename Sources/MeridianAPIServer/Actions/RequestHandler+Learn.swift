// RequestHandler+Learn: which syscalls an app makes, found out by running it.
internal import MeridianModel
internal import MeridianPorts

extension RequestHandler {
    /// Runs the app as the body (`LearnSettings`, or none) says; the answer is a `SyscallLesson`.
    ///
    /// It takes as long as the lesson; nothing of the app changes.
    func learn(_ key: ObjectKey, _ resource: ServedResource, _ body: JSONValue?) async throws(APIFailure) -> Answer {
        guard let learning = backends.learning else { throw .noResource }
        var context = DecodingContext()
        guard let settings = LearnSettings.decode(body ?? [:], at: FieldPath(), &context) else {
            throw .badRequest(context.problems.map(\.message).joined(separator: "; "))
        }
        _ = try await objects.record(key, resource.kind)
        let lesson = try await backend { () throws(BackendError) in try await learning.learn(key, settings) }
        return .json(200, lesson.encoded(explicit: true))
    }
}
