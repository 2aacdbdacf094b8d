// RemoteAccess: what one run of git needs to reach a repository: credentials, and where they are for how long.
internal import Glibc
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

/// Credentials as git takes them: by its environment, and for ssh by files that only this user can read.
///
/// The files go away with this value.
final class RemoteAccess: Sendable {
    let environment: [String]
    private let directory: String?

    /// Ssh connects within this, or the host is away.
    private static let connectSecondsMax = 15

    init(_ remote: GitRemote, temporary: String) throws(GitError) {
        let credentials = remote.credentials ?? GitCredentials()
        guard gitScheme(of: remote.url) == "ssh" else {
            directory = nil
            let username = credentials.username ?? (credentials.password == nil ? "" : "git")
            environment = [
                "MERIDIAN_GIT_USERNAME=\(username)", "MERIDIAN_GIT_PASSWORD=\(credentials.password ?? "")",
            ]
            return
        }
        guard let key = credentials.sshKey, let hosts = credentials.knownHosts else {
            throw GitError(
                .unauthorized,
                "\(remote.url): ssh needs a Secret with the keys ssh-privatekey and known_hosts. Name one in credentials"
            )
        }
        let place = try makeTemporaryDirectory(in: temporary)
        directory = place
        do throws(ContentError) {
            // Ssh takes a key from a file alone, and wants a newline at its end.
            let text = key.hasSuffix("\n") ? key : key + "\n"
            try DurableFile.write(Array(text.utf8), to: "\(place)/key", mode: 0o600)
            try DurableFile.write(Array(hosts.utf8), to: "\(place)/known_hosts", mode: 0o600)
        } catch {
            removeTemporary(place)
            throw GitError(.unavailable, "\(error)")
        }
        environment = ["GIT_SSH_VARIANT=ssh", "GIT_SSH_COMMAND=\(Self.sshCommand(place))"]
    }

    deinit { if let directory { removeTemporary(directory) } }

    private static func sshCommand(_ place: String) -> String {
        let settings = [
            "BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "StrictHostKeyChecking=yes",
            "UserKnownHostsFile=\"\(place)/known_hosts\"", "GlobalKnownHostsFile=/dev/null", "UpdateHostKeys=no",
            "ConnectTimeout=\(connectSecondsMax)", "ServerAliveInterval=10", "ServerAliveCountMax=3",
            "ProxyCommand=none", "PermitLocalCommand=no", "ForwardAgent=no", "ForwardX11=no",
        ]
        let options = settings.map { "-o \(shellQuoted($0))" }.joined(separator: " ")
        return "ssh -F /dev/null -i \(shellQuoted("\(place)/key")) \(options)"
    }
}

/// The text as one word of sh(1), which git runs the command with.
private func shellQuoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
}

/// A new directory that only this user may enter.
func makeTemporaryDirectory(in parent: String) throws(GitError) -> String {
    var template = Array("\(parent)/work-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
        throw GitError(.unavailable, "\(parent): no temporary directory: \(String(cString: strerror(errno)))")
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Removes a temporary directory; what cannot be removed now goes at the next start.
func removeTemporary(_ path: String) {
    do throws(ContentError) {
        try DurableFile.remove(path)
    } catch {
        // Everything in the temporary directory is removed when the engine starts.
        return
    }
}
