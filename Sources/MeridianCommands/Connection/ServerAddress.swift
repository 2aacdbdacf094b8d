// ServerAddress: which server a verb talks to, and with which credentials.

internal import MeridianContent
internal import MeridianModel

/// A server and what is needed to talk to it.
struct ServerAccess: Equatable, Sendable {
    var url: String
    /// PEM text; nil: the authorities that the system believes.
    var certificateAuthority: String?
    var token: String?
}

/// The rules by which the server and the credentials are found.
struct ServerAddress {
    /// `--server`.
    var server: String?
    /// `--certificate-authority`.
    var certificateAuthorityFile: String?
    /// `--token`.
    var token: String?
    /// `--token-file`.
    var tokenFile: String?
    /// `--data`.
    var dataDirectory: String
    var environment: @Sendable (String) -> String?

    static let serverVariable = "MERIDIAN_SERVER"
    static let authorityVariable = "MERIDIAN_CERTIFICATE_AUTHORITY"
    static let tokenVariable = "MERIDIAN_TOKEN"

    /// Some addresses, a certificate and a token; a bundle of every public authority has 200 KB.
    private static let fileBytesMax = 1 << 20

    /// The server: `--server`, else the variable, else the running `up` of the data directory.
    ///
    /// What the running `up` says of authority and token counts for its own URL alone, so that a token is never sent to
    /// another server than the one it is for; options and variables stand above it.
    func access() throws(CommandFailure) -> ServerAccess {
        var access: ServerAccess
        if let named = try named() { access = named } else { access = try runningServer() }
        if let file = certificateAuthorityFile ?? variable(Self.authorityVariable) {
            access.certificateAuthority = try text(of: file, "the certificate authority")
        }
        if let token {
            access.token = token
        } else if let tokenFile {
            access.token = try text(of: tokenFile, "the token").trimmed
        } else if let token = variable(Self.tokenVariable) {
            access.token = token
        }
        return access
    }

    private func named() throws(CommandFailure) -> ServerAccess? {
        if let server { return ServerAccess(url: try checked(server, "--server")) }
        guard let value = variable(Self.serverVariable) else { return nil }
        return ServerAccess(url: try checked(value, "$\(Self.serverVariable)"))
    }

    private func variable(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }

    private func checked(_ url: String, _ place: String) throws(CommandFailure) -> String {
        let schemes = ["http://", "https://", "http+unix://"]
        guard schemes.contains(where: { url.hasPrefix($0) && url.count > $0.count }) else {
            throw CommandFailure(place, "\"\(url)\" is no URL", next: "Write it like http://127.0.0.1:7700")
        }
        return url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    private func text(of file: String, _ what: String) throws(CommandFailure) -> String {
        do throws(ContentError) {
            return String(decoding: try DurableFile.read(file, atMost: Self.fileBytesMax), as: UTF8.self)
        } catch {
            throw CommandFailure(what, "\(error)")
        }
    }

    /// What the file says that a running `up` leaves in its data directory.
    private func runningServer() throws(CommandFailure) -> ServerAccess {
        let path = "\(dataDirectory)/server.json"
        let bytes: [UInt8]
        do throws(ContentError) {
            bytes = try DurableFile.read(path, atMost: Self.fileBytesMax)
        } catch {
            throw CommandFailure(
                "no server is known",
                "\(error); neither --server nor $\(Self.serverVariable) is given",
                next: "Start one with: meridian up --data \(dataDirectory)"
            )
        }
        let json: JSONValue
        do throws(JSONSyntaxError) {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw CommandFailure(path, "\(error)", next: "Restart meridian up, or name the server with --server")
        }
        guard let url = json["api"]?.string else {
            throw CommandFailure(
                path,
                "names no \"api\"",
                next: "Restart meridian up, or name the server with --server"
            )
        }
        return ServerAccess(
            url: try checked(url, path),
            certificateAuthority: json["certificateAuthority"]?.string,
            token: json["token"]?.string
        )
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
