// ServerTextTests: which texts name a server.
import MeridianAPIClient
import Testing

@Suite("The server that a client is given")
struct ServerTextTests {
    @Test(
        "only HTTP and Unix socket URLs are taken",
        arguments: ["", "127.0.0.1:7700", "ftp://x", "http://", "https://"]
    )
    func refused(_ text: String) {
        #expect(throws: APIClientError.self) { try APIClient(server: text) }
    }

    @Test("a slash at the end makes no difference")
    func slash() async throws {
        let client = try APIClient(server: "http://127.0.0.1:7700/")
        #expect(client.server == "http://127.0.0.1:7700")
        await client.shutdown()
    }
}
