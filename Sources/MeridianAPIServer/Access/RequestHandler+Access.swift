// RequestHandler+Access: who may do a request, before anything else of it is read.
internal import HTTPTypes
internal import Hummingbird
internal import MeridianModel

extension RequestHandler {
    /// The handler of one request, which knows its caller; 401 and 403 for those who may not.
    func admitted(_ request: Request) async throws(APIFailure) -> RequestHandler {
        if authenticator.trustsLoopback { try checkLoopback(request.head) }
        var handler = self
        handler.caller = try await authenticator.caller(request.headers)
        objects.trail?.admit(handler.caller)
        try handler.caller.require(try AccessRequest(request))
        return handler
    }
}

extension AccessRequest {
    /// What an HTTP request wants.
    init(_ request: Request) throws(APIFailure) {
        let parameters = try QueryParameters(request.uri.query)
        self.init(
            method: request.method.rawValue,
            path: request.uri.path,
            isWatch: try parameters.flag("watch")
        )
    }
}
