// PodLog: what one runner printed, in the way `kubectl logs` asks for it.
internal import MeridianModel
internal import MeridianPorts

/// Which of a runner's lines are sent, and how.
struct PodLogOptions {
    /// Lines of one runner that are held back to find the last ones: what a node keeps of a revision.
    static let tailLinesMax: Int64 = 1_000_000

    let tailLines: Int?
    let follows: Bool
    let hasTimes: Bool
    /// Only lines that are not older.
    let since: Timestamp?
    let bytesMax: Int?

    init(_ parameters: QueryParameters, now: Timestamp) throws(APIFailure) {
        guard try !parameters.flag("previous") else {
            throw .badRequest("a runner starts once; look at other runners of the app with -l app=NAME")
        }
        tailLines = try parameters.number("tailLines", in: 0...Int64.max).map { Int(min($0, Self.tailLinesMax)) }
        follows = try parameters.flag("follow")
        hasTimes = try parameters.flag("timestamps")
        bytesMax = try parameters.number("limitBytes", in: 1...Int64.max).map { Int($0) }
        if let seconds = try parameters.number("sinceSeconds", in: 1...Int64(Int32.max)) {
            since = Timestamp(milliseconds: now.milliseconds - seconds * 1000)
        } else if let text = parameters["sinceTime"] {
            guard let time = Timestamp(text) else {
                throw .badRequest("sinceTime: \"\(text.prefix(80))\" is not \(Timestamp.textForm)")
            }
            since = time
        } else {
            since = nil
        }
    }
}

extension RequestHandler {
    /// The lines of one runner; `container` may only be its app.
    func podLog(_ key: ObjectKey, _ kind: Kind, _ parameters: QueryParameters) async throws(APIFailure) -> Answer {
        let options = try PodLogOptions(parameters, now: objects.clock.now)
        let runner = try await objects.record(key, kind).value
        let app = runner["spec"]?["app"]?.string ?? ""
        if let container = parameters["container"], container != app {
            throw .badRequest("container \(container.prefix(80)) is not valid for pod \(key.name); it has \(app)")
        }
        let wanted = LogRequest(
            app: ObjectKey(kind: AppSpec.kind, namespace: key.namespace, name: app),
            revision: runner["spec"]?["revision"]?.string,
            runner: key.name,
            tailLines: options.tailLines,
            follows: options.follows
        )
        let lines = try await backend { () throws(BackendError) in try await backends.logs.log(wanted) }
        return .stream("text/plain; charset=utf-8") { writer in
            try await sendLines(lines, to: writer, limit: options.bytesMax) { options.text(of: $0) }
        }
    }
}

extension PodLogOptions {
    /// What is sent of a line `<time> <runner> <text>`; nil where it is too old.
    fileprivate func text(of line: String) -> String? {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return line }
        if let since, let time = Timestamp(String(parts[0])), time < since { return nil }
        return hasTimes ? "\(parts[0]) \(parts[2])" : String(parts[2])
    }
}
