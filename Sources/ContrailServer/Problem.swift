// An error as a client sees it: RFC 9457 with a stable code.

internal import ContrailStore
internal import HTTPTypes
internal import Hummingbird
private import NIOCore

/// An error in the form of `application/problem+json`: `type`, `title`, `status`, `detail`, and a `code` to switch on.
struct Problem: HTTPResponseError {
    let status: HTTPResponse.Status
    let code: String
    let detail: String
    var fields: HTTPFields = [:]

    init(_ status: HTTPResponse.Status, _ code: String, _ detail: String) {
        self.status = status
        self.code = code
        self.detail = detail
    }

    /// What the store reported.
    init(_ error: StoreError) {
        self.init(Self.status(of: error.code), error.code.description, error.message)
        if error.code == .queryQueueFull { self.fields[.retryAfter] = "1" }
    }

    /// A method that the route does not have.
    static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> Problem {
        let names = allowed.map(\.rawValue).joined(separator: ", ")
        var problem = Problem(.methodNotAllowed, "method_not_allowed", "use \(names) on this path")
        problem.fields[.allow] = names
        return problem
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var json = JSONWriter()
        json.beginObject()
        json.member("ok", false)
        json.member("type", "about:blank")
        json.member("title", self.status.reasonPhrase)
        json.member("status", self.status.code)
        json.member("code", self.code)
        json.member("detail", self.detail)
        json.endObject()
        var response = json.response(status: self.status, contentType: "application/problem+json")
        response.headers.append(contentsOf: self.fields)
        return response
    }

    private static func status(of code: StoreError.Code) -> HTTPResponse.Status {
        switch code {
        case .queryMalformed, .queryInvalid: .badRequest
        case .queryDenied: .forbidden
        case .queryTimeout, .queryTooBig: .unprocessableContent
        case .queryQueueFull: .tooManyRequests
        default: .serviceUnavailable
        }
    }
}
