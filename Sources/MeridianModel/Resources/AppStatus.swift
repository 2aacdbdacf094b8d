// AppStatus: what Meridian observes of an app.

/// `status` of an App.
package struct AppStatus: Shaped {
    package var observedGeneration: Int = 0
    /// `Built`, `Ready`, `Serving`.
    package var conditions: [Condition] = []
    /// The newest revision, whatever became of it.
    package var latestRevision: String?
    /// The revision that `latest` in a split and the default host mean.
    package var servingRevision: String?
    /// The revision that `rollback` chose, while it holds.
    package var pinnedRevision: String?
    /// Runners that accept requests, over all revisions.
    package var readyRunners: Int = 0
    /// Where the app answers.
    package var url: String?
    /// The commit that `spec.source.git` led to.
    package var sourceCommit: String?
    /// The packed source of that commit.
    package var sourceDigest: Digest?
    /// The repository, ref and directory that it was packed from: `URL#REF:PATH`.
    package var sourceOrigin: String?

    package init() {}

    /// Whether requests reach `servingRevision` on every node, rather than being about to.
    package var isRouted: Bool {
        conditions.condition("Serving").map { $0.status == .isTrue && $0.reason == "Routed" } ?? false
    }

    package static let shape: Shape<AppStatus> = Shape(
        "AppStatus",
        "What Meridian observes of an app.",
        fields: [
            .init("observedGeneration", \.observedGeneration, default: 0, "The generation that was looked at."),
            .init("conditions", \.conditions, default: [], "Built, Ready, Serving.", .keyed(by: "type")),
            .init("latestRevision", optional: \.latestRevision, "The newest revision."),
            .init("servingRevision", optional: \.servingRevision, "The revision that serves."),
            .init("pinnedRevision", optional: \.pinnedRevision, "The revision that rollback chose."),
            .init("readyRunners", \.readyRunners, default: 0, "Runners that accept requests."),
            .init("url", optional: \.url, "Where the app answers."),
            .init("sourceCommit", optional: \.sourceCommit, "The commit that spec.source.git led to."),
            .init("sourceDigest", optional: \.sourceDigest, "The packed source of that commit."),
            .init("sourceOrigin", optional: \.sourceOrigin, "The repository, ref and directory of that source."),
        ]
    )
}
