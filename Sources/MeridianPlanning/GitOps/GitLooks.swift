// GitLooks: when a repository is looked at again, and with which credentials.
import MeridianModel

/// How often the repository of an App with `spec.source.git` is looked at; a GitSource says its own interval.
private let appInterval = Duration.seconds(60)

/// Looks for the sources of Apps that name a repository themselves.
func gitSources(of apps: ObjectTable<App>, in world: World) -> Plan {
    var plan = Plan()
    for stored in apps {
        let app = stored.object
        guard let reference = app.spec.source.git, app.spec.source.digest == nil,
            app.metadata.deletionTimestamp == nil,
            case .success(let sealed) = world.credentials(for: app.credentialsKey)
        else { continue }
        let kind = GitLook.Kind.source(reference)
        plan.append(look(at: kind, of: app.key, uid: app.metadata.uid, every: appInterval, sealed, world))
    }
    return plan
}

/// A look where it is due; otherwise when it will be.
func look(
    at kind: GitLook.Kind,
    of subject: ObjectKey,
    uid: String,
    every interval: Duration,
    _ credentials: [String: GitLook.SealedText],
    _ world: World
) -> Plan {
    var plan = Plan()
    let view = world.gitViews[subject] ?? GitView()
    guard !view.isLooking else { return plan }
    let isCurrent = view.settings == kind
    // A whole commit id leads to the same commit for ever.
    if isCurrent, view.failure == nil, !view.isAnnounced, kind.isFixed { return plan }
    let next = isCurrent && !view.isAnnounced ? nextLook(of: view, subject, every: interval) : nil
    if let next, next > world.now {
        plan.wakeAt = next
        return plan
    }
    let look = GitLook(
        subject: subject,
        uid: uid,
        kind: kind,
        known: isCurrent && view.failure == nil ? view.found?.commit : nil,
        credentials: credentials
    )
    let why = view.isAnnounced ? "a push was announced" : isCurrent ? "its interval has passed" : "its settings are new"
    plan.add(.lookAtGit(look), for: subject, because: why)
    return plan
}

/// The time of the next look; nil where there was none yet.
private func nextLook(of view: GitView, _ subject: ObjectKey, every interval: Duration) -> Timestamp? {
    guard let last = view.lookedAt else { return nil }
    let wait = view.failures > 0 ? max(retryDelay(afterFailures: view.failures), .seconds(1)) : interval
    return last + wait + jitter(of: wait, subject, last)
}

/// Up to a tenth of the wait, so that sources which began together do not go on together; the same for the same look.
private func jitter(of wait: Duration, _ subject: ObjectKey, _ last: Timestamp) -> Duration {
    let words = "\(subject) \(last.milliseconds)"
    let hash = words.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return .milliseconds(Int64(hash % UInt64(max(1, wait.wholeMilliseconds / 10))))
}

extension GitLook.Kind {
    /// Whether the selection can only ever lead to one commit.
    fileprivate var isFixed: Bool {
        switch self {
        case .manifests(let spec): spec.ref.map(isCommitID) ?? false
        case .source(let reference): isCommitID(reference.ref)
        }
    }
}

extension GitFinding {
    /// The commit that was found.
    var commit: String {
        switch self {
        case .manifests(let reading): reading.commit.id
        case .tree(let tree): tree.commit.id
        }
    }
}

extension App {
    /// The Secret that the app's repository asks for.
    var credentialsKey: ObjectKey? {
        spec.source.git?.secret.map { ObjectKey(kind: Secret.kind, namespace: metadata.namespace, name: $0) }
    }
}

extension GitReference {
    /// Tells one directory of one repository at one ref from all others.
    var origin: String { "\(url)#\(ref):\(path)" }
}

/// The sealed values of a Secret, or that it is missing.
enum GitCredentialsFound {
    case success([String: GitLook.SealedText])
    case missing(ObjectKey)

    var missing: ObjectKey? { if case .missing(let key) = self { key } else { nil } }
}

extension World {
    /// The values of the Secret at `key` as the store has them; none where no Secret is named.
    func credentials(for key: ObjectKey?) -> GitCredentialsFound {
        guard let key else { return .success([:]) }
        guard let secret = secrets[key.path] else { return .missing(key) }
        let values = secret.object.sealed.map { name, text in
            (name, GitLook.SealedText(text: text, owner: "\(key)/\(name)"))
        }
        return .success(Dictionary(values) { first, _ in first })
    }

    /// The commit and packed source that an App's repository led to last; nil before the first look.
    func gitTree(of app: App) -> (commit: String?, source: Digest)? {
        guard let reference = app.spec.source.git else { return nil }
        if let tree = gitViews[app.key]?.tree(under: .source(reference)) { return (tree.commit.id, tree.source) }
        // After a restart the last good state stays until the repository was looked at.
        guard app.status.sourceOrigin == reference.origin, let source = app.status.sourceDigest else { return nil }
        return (app.status.sourceCommit, source)
    }

    /// Why there is no source of an App's repository.
    func gitTrouble(of app: App) -> (reason: String, message: String)? {
        guard let reference = app.spec.source.git else { return nil }
        if let key = credentials(for: app.credentialsKey).missing {
            return ("SecretMissing", "spec.source.git.secret: there is no \(key). Apply it")
        }
        let failure = gitViews[app.key]?.failure(under: .source(reference))
        return failure.map { ($0.reason, $0.message) }
    }
}
