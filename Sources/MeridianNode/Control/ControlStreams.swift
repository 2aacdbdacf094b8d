// ControlStreams: the answers of the control socket that go on: reports as they change, logs as they are printed.
internal import HTTPTypes
internal import Hummingbird
internal import MeridianModel
internal import MeridianPorts
internal import MeridianRunners
internal import NIOCore
internal import ServiceLifecycle

/// At most one report in this time, so that a burst of starts is one report.
private let reportInterval = Duration.milliseconds(50)

/// A report per line: at once, after every change, and as the feed's heartbeat; ends with the node.
func reports(of service: NodeService) -> Response {
    let body = ResponseBody { writer in
        // Without it a connected control plane would keep the node from ending.
        for try await _ in service.feed.rings().cancelOnGracefulShutdown() {
            var line = await service.report().encoded().utf8()
            line.append(UInt8(ascii: "\n"))
            try await writer.write(ByteBuffer(bytes: line))
            try await Task.sleep(for: reportInterval)
        }
        try await writer.finish(nil)
    }
    return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
}

/// The lines of an app's runners: `app`, and optionally `revision`, `runner`, `tail` and `follow=1`.
func log(_ request: Request, of service: NodeService) throws(NodeError) -> Response {
    let parameters = request.uri.queryParameters
    guard let app = parameters["app"].map(String.init) else {
        throw NodeError(.refused, "/log needs app=NAMESPACE/NAME")
    }
    let revision = parameters["revision"].map { name in
        name.contains("/") ? String(name) : "\(app.prefix { $0 != "/" })/\(name)"
    }
    let runner = parameters["runner"].map(String.init)
    let count = parameters["tail"].flatMap { Int($0) }
    let follows = parameters["follow"] == "1"
    let body = ResponseBody { writer in
        // Subscribed before the kept lines are read, so that none between is lost; one may come twice.
        let news = follows ? service.follow(app: app, revision: revision) : nil
        for line in service.lines(app: app, revision: revision, runner: runner, last: count) {
            try await writer.write(text(of: line))
        }
        if let news {
            for try await line in news.cancelOnGracefulShutdown() where runner.map({ $0 == line.runner }) ?? true {
                try await writer.write(text(of: line))
            }
        }
        try await writer.finish(nil)
    }
    return Response(status: .ok, headers: [.contentType: "text/plain; charset=utf-8"], body: body)
}

private func text(of line: LogLine) -> ByteBuffer {
    ByteBuffer(string: "\(line.time) \(line.runner) \(line.text)\n")
}
