// ServerAddress: which server a verb talks to.

internal import MeridianContent
internal import MeridianModel

/// The rules by which the server's URL is found.
struct ServerAddress {
    /// `--server`.
    let option: String?
    /// `--data`.
    let dataDirectory: String
    let environment: @Sendable (String) -> String?

    static let variable = "MERIDIAN_SERVER"

    /// Some addresses and a process id.
    private static let fileBytesMax = 64 << 10

    /// The URL: `--server`, else the variable, else the running `up` of the data directory.
    func url() throws(CommandFailure) -> String {
        if let option { return try checked(option, "--server") }
        if let value = environment(Self.variable), !value.isEmpty { return try checked(value, "$\(Self.variable)") }
        return try addressOfRunningServer()
    }

    private func checked(_ url: String, _ place: String) throws(CommandFailure) -> String {
        let schemes = ["http://", "https://", "http+unix://"]
        guard schemes.contains(where: { url.hasPrefix($0) && url.count > $0.count }) else {
            throw CommandFailure(place, "\"\(url)\" is no URL", next: "Write it like http://127.0.0.1:7700")
        }
        return url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    /// The API's URL in the file that a running `up` leaves in its data directory.
    private func addressOfRunningServer() throws(CommandFailure) -> String {
        let path = "\(dataDirectory)/server.json"
        let bytes: [UInt8]
        do throws(ContentError) {
            bytes = try DurableFile.read(path, atMost: Self.fileBytesMax)
        } catch {
            throw CommandFailure(
                "no server is known",
                "\(error); neither --server nor $\(Self.variable) is given",
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
        return try checked(url, path)
    }
}
