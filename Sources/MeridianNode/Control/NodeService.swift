// NodeService: what a node does for its control plane, without the wire: assignments, reports, port checks, logs.
internal import MeridianModel
internal import MeridianPorts
internal import MeridianRunners

/// One node's side of `NodePort`.
package struct NodeService: Sendable {
    let name: String
    let instance: String
    let edges: [String]
    let keeper: AssignmentKeeper
    let supply: RunnerSupply
    let edge: any NodeEdge
    let runners: any RunnerPort
    let bundles: any BundleDirectories
    let feed: ReportFeed
    let logs: RunnerLogs

    /// Takes an assignment; see `NodePort.assign`.
    func assign(_ assignment: NodeAssignment) async throws(NodeError) { try await keeper.take(assignment) }

    /// The node's state now.
    func report() async -> NodeReport {
        var report = NodeReport()
        report.node = name
        report.instance = instance
        report.assignment = await keeper.number
        report.routes = edge.routesNumber
        report.runners = await supply.runnerReports
        report.troubles = await supply.troubles
        report.denied = runners.deniedSyscalls.map { RevisionDenials($0.key, $0.value) }
            .sorted { $0.revision < $1.revision }
        report.protections = runners.protections
        report.edges = edges
        return report
    }

    /// Runs a port check; see `NodePort.checkPort`.
    func checkPort(_ revision: String, _ template: RunnerTemplate, timeout: Duration) async throws(NodeError)
        -> PortCheckReport
    {
        do throws(RunnerError) {
            let bundle = try await bundles.directory(for: template.bundle)
            return try await runners.checkPort(
                checkID(of: revision),
                revision: revision,
                template,
                bundle: bundle,
                timeout: timeout
            )
        } catch {
            throw NodeError(.refused, "the port check of \(revision) cannot be made: \(error)")
        }
    }

    /// Runs a template to see which syscalls it makes; see `RunnerPort.learn`.
    func learn(_ revision: String, _ template: RunnerTemplate, _ settings: LearnSettings) async throws(NodeError)
        -> SyscallLesson
    {
        do throws(RunnerError) {
            let bundle = try await bundles.directory(for: template.bundle)
            return try await runners.learn(
                checkID(of: revision),
                revision: revision,
                template,
                bundle: bundle,
                settings
            )
        } catch {
            throw NodeError(.refused, "the syscalls of \(revision) cannot be learned: \(error)")
        }
    }

    /// The id under which a check's process runs: drawn, since one check may begin while another one ends.
    private func checkID(of revision: String) -> String {
        var names = RunnerNames(seed: UInt64.random(in: .min ... .max))
        return names.next(for: revision) { _ in false }
    }

    /// The last lines of an app, of one of its revisions or of one runner.
    ///
    /// The other lines are forgotten; `nil` for `count` means all that are kept.
    func lines(app: String, revision: String?, runner: String?, last count: Int?) -> [LogLine] {
        if let runner {
            let all = lines(app: app, revision: revision, runner: nil, last: nil).filter { $0.runner == runner }
            return count.map { all.suffix($0) } ?? all
        }
        let count = count ?? RunnerLogs.linesMax
        return revision.map { logs.lines(ofRevision: $0, last: count) } ?? logs.lines(ofApp: app, last: count)
    }

    /// The lines of an app or of one of its revisions, as they are printed.
    func follow(app: String, revision: String?) -> AsyncStream<LogLine> {
        revision.map { logs.follow(revision: $0) } ?? logs.follow(app: app)
    }
}
