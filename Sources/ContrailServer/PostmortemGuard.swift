// Who may ask: the loopback interface, by a name of its own, and no foreign page in a browser.

private import HTTPTypes
internal import Hummingbird
private import NIOCore

/// Refuses clients that are not on the loopback interface, names that are not the loopback's (DNS rebinding), and requests
/// that a page of another origin sent. Turns every error below it into a problem, and forbids caching.
struct PostmortemGuard<Context: RemoteAddressRequestContext>: RouterMiddleware {
    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            try self.checkClient(context.remoteAddress)
            try self.checkName(request.head.authority)
            try self.checkOrigin(request.headers)
            response = try await next(request, context)
        } catch {
            response = try Self.problem(error).response(from: request, context: context)
        }
        response.headers[.cacheControl] = "no-store"
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        return response
    }

    private func checkClient(_ address: SocketAddress?) throws(Problem) {
        let isLocal =
            switch address {
            case .v4: address?.ipAddress?.hasPrefix("127.") ?? false
            case .v6: ["::1", "::ffff:127.0.0.1"].contains(address?.ipAddress)
            case .unixDomainSocket: true
            case nil: false
            }
        guard isLocal else {
            throw Problem(.forbidden, "not_local", "the trail is only served to this machine: ask from a shell on it")
        }
    }

    private func checkName(_ authority: String?) throws(Problem) {
        guard let authority, Self.isLocal(host: authority[...]) else {
            throw Problem(
                .misdirectedRequest,
                "foreign_host",
                "ask by the name localhost, 127.0.0.1 or [::1]; other names are refused against DNS rebinding"
            )
        }
    }

    private func checkOrigin(_ fields: HTTPFields) throws(Problem) {
        if let origin = fields[.origin] {
            guard let scheme = origin.range(of: "://"), Self.isLocal(host: origin[scheme.upperBound...]) else {
                throw Problem(.forbidden, "foreign_origin", "pages of other origins may not ask")
            }
        }
        if let name = HTTPField.Name("Sec-Fetch-Site"), let site = fields[name], site == "cross-site" {
            throw Problem(.forbidden, "foreign_origin", "pages of other sites may not ask")
        }
    }

    /// Whether `host` or `host:port` names the loopback interface.
    private static func isLocal(host: Substring) -> Bool {
        let names = ["localhost", "127.0.0.1", "[::1]"]
        guard let name = names.first(where: { host.lowercased().hasPrefix($0) }) else { return false }
        let rest = host.dropFirst(name.count)
        return rest.isEmpty || rest.first == ":" && rest.dropFirst().allSatisfy { ("0"..."9").contains($0) }
    }

    private static func problem(_ error: any Error) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as any HTTPResponseError where error.status == .contentTooLarge:
            Problem(.contentTooLarge, "body_too_large", "send at most \(QueryRoute.mostBodyBytes) bytes")
        case let error as any HTTPResponseError:
            Problem(error.status, "request_refused", error.status.reasonPhrase)
        default: Problem(.internalServerError, "internal", "the request failed; the service's log says why")
        }
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? {
        self.ranges(of: text).first
    }
}
