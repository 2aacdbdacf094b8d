// RoutePacking+Checks: what is wrong with one host of a route table.
internal import MeridianModel

extension RoutePacking {
    /// Checks a host by itself.
    func check(_ route: HostRoute) throws(RouteTableError) {
        guard isHostName(route.host) else {
            throw route.fault(
                .badHost,
                "is not a host name: use lower-case DNS labels joined by dots, without a port"
            )
        }
        try check(route.backends, of: route)
        try check(route.stickyCookie, of: route)
        if let header = route.stickyHeader, !isLowerToken(header) {
            throw route.fault(.badMatch, "\"\(header)\" is not a header's name in lower case; correct stickyHeader")
        }
        guard route.mirror.map({ (0...100).contains($0.weight) }) ?? true else {
            throw route.fault(.badWeight, "the mirror's weight is outside 0 to 100; give whole percents")
        }
        for rule in route.rules {
            try check(rule.backends, of: route)
            try check(rule.stickyCookie, of: route)
            for match in rule.matches { try check(match, of: route) }
        }
    }

    private func check(_ backends: [RouteBackend], of route: HostRoute) throws(RouteTableError) {
        guard backends.allSatisfy({ (0...100).contains($0.weight) }) else {
            throw route.fault(.badWeight, "a weight is outside 0 to 100; give whole percents")
        }
        let sum = backends.reduce(0) { $0 + $1.weight }
        guard backends.isEmpty || sum == 100 else {
            throw route.fault(.weightsDoNotSum, "the weights sum to \(sum); make them sum to 100")
        }
    }

    private func check(_ cookie: String?, of route: HostRoute) throws(RouteTableError) {
        if let cookie, cookie.isEmpty || !cookie.utf8.allSatisfy(isCookieNameByte) {
            throw route.fault(.badCookie, "\"\(cookie)\" is not a cookie name; use letters, digits, - and _")
        }
    }

    private func check(_ match: RequestMatch, of route: HostRoute) throws(RouteTableError) {
        guard match == match.canonical else {
            throw route.fault(.badMatch, "the match \"\(match.words)\" is not canonical; give its canonical form")
        }
        for value in match.headers where !isLowerToken(value.name) {
            throw route.fault(.badMatch, "\"\(value.name)\" is not a header's name; correct it")
        }
        for value in match.headers + match.cookies {
            let given = [value.exact != nil, value.prefix != nil, value.present].count { $0 }
            guard given == 1, !value.name.isEmpty else {
                throw route.fault(.badMatch, "\"\(value.name)\" needs a name and one of exact, prefix and present")
            }
        }
    }
}

extension HostRoute {
    /// A fault of this host.
    func fault(_ code: RouteTableError.Code, _ message: String) -> RouteTableError {
        RouteTableError(code: code, host: host, message: message)
    }
}

private func isCookieNameByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D
        || byte == 0x5F || byte == 0x2E
}

private func isLowerToken(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && !(0x41...0x5A).contains($0) && $0 != 0x3A }
}
