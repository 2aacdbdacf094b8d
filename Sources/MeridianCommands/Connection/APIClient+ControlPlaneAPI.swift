// APIClient+ControlPlaneAPI: stub.
func connectedClient(_ url: String) throws -> any ControlPlaneAPI { throw CommandFailure(url, "stub") }
