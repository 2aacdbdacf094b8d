// DataDirectory: where the control plane keeps what.
import Glibc
import MeridianContent

/// The places inside a data directory, which only its owner may enter.
package struct DataDirectory: Sendable {
    /// Absolute.
    package let path: String

    /// The directory at `path`, created with mode 0700 where it is missing.
    package init(_ path: String) throws(ControlPlaneError) {
        do throws(ContentError) {
            try DurableFile.createDirectory(path, mode: 0o700)
        } catch {
            throw ControlPlaneError("the data directory cannot be made: \(error). Name another with --data")
        }
        guard let resolved = realpath(path, nil) else {
            throw ControlPlaneError("\(path): \(String(cString: strerror(errno)))")
        }
        defer { free(resolved) }
        self.path = String(cString: resolved)
    }

    /// Makes the directories that the parts expect to be there, and removes what a killed backup left.
    func prepare() throws(ControlPlaneError) {
        do throws(ContentError) {
            try DurableFile.remove(backup)
        } catch {
            throw ControlPlaneError("\(backup) cannot be removed: \(error)")
        }
        for place in [uploads, builds, logs, node] {
            do throws(ContentError) {
                try DurableFile.createDirectory(place, mode: 0o700)
            } catch {
                throw ControlPlaneError("\(place) cannot be made: \(error)")
            }
        }
    }

    /// How clients find the running control plane.
    package var serverFile: String { "\(path)/server.json" }
    package var registry: String { "\(path)/registry" }
    /// On the registry's file system, so that an upload is moved into it.
    package var uploads: String { "\(path)/uploads" }
    package var builds: String { "\(path)/builds" }
    package var logs: String { "\(path)/logs" }
    /// Who changed what, one JSON line for each write.
    package var auditLog: String { "\(path)/audit.log" }
    /// Where a backup's copy of the store lies while it is read.
    package var backup: String { "\(path)/backup" }
    /// Mirrors of repositories; they are fetched again where they are missing.
    package var git: String { "\(path)/git" }
    package var keys: String { "\(path)/keys" }
    package var sealingKey: String { "\(keys)/sealing.key" }
    /// Key pairs for sealing, whose private halves are sealed under the sealing key.
    package var sealKeys: String { "\(path)/seal" }
    /// The token of whoever owns the directory.
    package var adminToken: String { "\(keys)/admin.token" }
    /// The API's certificates, where they are Meridian's own.
    package var tls: String { "\(path)/tls" }
    package var tlsAuthority: String { "\(tls)/ca.crt" }
    package var tlsAuthorityKey: String { "\(tls)/ca.key" }
    package var tlsCertificate: String { "\(tls)/api.crt" }
    package var tlsKey: String { "\(tls)/api.key" }
    package var node: String { "\(path)/node" }
    package var nodeSocket: String { "\(node)/node.sock" }
    package var nodeLock: String { "\(node)/node.lock" }
    package var nodeOutput: String { "\(node)/node.log" }
}

/// Why the control plane cannot run.
package struct ControlPlaneError: Error, Sendable, CustomStringConvertible {
    /// What failed, on what, and the next step.
    package let description: String

    package init(_ description: String) { self.description = description }
}
