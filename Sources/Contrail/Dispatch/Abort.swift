// The error that is an HTTP response: Flask's `abort(404)`.

public import HTTPTypes

extension App {
    /// An HTTP error: `throw App.Abort(404)`.
    ///
    /// A dispatch gives it to the handler of its code, or answers with a built-in page. Teardown hooks see it as handled.
    public struct Abort: Error, Sendable {
        /// The status of the response.
        public let status: HTTPResponse.Status
        /// What the built-in page says; by default the status's reason.
        public let message: String?
        /// Header fields of the built-in page.
        public let headerFields: HTTPFields
        /// The error that nobody handled, when this is what became of it (`LIF-07`).
        public let original: (any Error)?

        /// Makes an HTTP error. A code that is no HTTP status, outside 100 to 999, counts as 500.
        public init(
            _ code: Int,
            _ message: String? = nil,
            headerFields: HTTPFields = [:],
            original: (any Error)? = nil
        ) {
            let code = (100...999).contains(code) ? code : 500
            self.status = HTTPResponse.Status(code: code, reasonPhrase: Self.reasons[code] ?? "")
            self.message = message
            self.headerFields = headerFields
            self.original = original
        }

        /// The reasons of RFC 9110 and its companions, which a status that is made from a number alone does not have.
        private static let reasons: [Int: String] = Dictionary(
            [
                .badRequest, .unauthorized, .forbidden, .notFound, .methodNotAllowed, .notAcceptable, .requestTimeout,
                .conflict, .gone, .lengthRequired, .preconditionFailed, .contentTooLarge, .uriTooLong,
                .unsupportedMediaType, .rangeNotSatisfiable, .expectationFailed, .misdirectedRequest,
                .unprocessableContent,
                .tooEarly, .upgradeRequired, .preconditionRequired, .tooManyRequests, .requestHeaderFieldsTooLarge,
                .unavailableForLegalReasons, .internalServerError, .notImplemented, .badGateway, .serviceUnavailable,
                .gatewayTimeout, .httpVersionNotSupported, .networkAuthenticationRequired, .movedPermanently, .found,
                .seeOther, .notModified, .temporaryRedirect, .permanentRedirect,
            ]
            .map { (status: HTTPResponse.Status) in (status.code, status.reasonPhrase) },
            uniquingKeysWith: { first, _ in first }
        )

        /// The code of the status.
        public var code: Int { self.status.code }
    }
}

extension App.Abort: CustomStringConvertible {
    /// `404 Not Found`, with the message if there is one.
    public var description: String {
        let reason = self.message ?? self.status.reasonPhrase
        return reason.isEmpty ? "\(self.code)" : "\(self.code) \(reason)"
    }
}

/// An error of the process rather than of the request: no handler, no `got_request_exception` and no page for it (`LIF-09`).
///
/// It leaves the dispatch; teardown hooks get it. `CancellationError` is treated as one.
public protocol ProcessLevelError: Error {}

extension Error {
    /// Whether no handler may turn the error into a response.
    var isProcessLevel: Bool { self is any ProcessLevelError || self is CancellationError }
}
