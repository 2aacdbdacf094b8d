// DenialWatch: a denied syscall of some runner makes a new report of the node.
package import MeridianPorts
internal import ServiceLifecycle

/// Rings the feed when a runner made a syscall that its allowlist denies and that was not known of its revision.
package struct DenialWatch: Service {
    let runners: any RunnerPort
    let feed: ReportFeed

    package init(runners: any RunnerPort, feed: ReportFeed) {
        self.runners = runners
        self.feed = feed
    }

    /// Rings until graceful shutdown.
    package func run() async {
        for await _ in runners.deniedChanges.cancelOnGracefulShutdown() { feed.changed() }
    }
}
