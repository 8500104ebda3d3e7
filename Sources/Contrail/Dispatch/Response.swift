// The response of a view.

public import HTTPTypes

#if canImport(FoundationEssentials)
private import FoundationEssentials
#else
private import Foundation
#endif

extension App {
    /// What a view, a handler or a `before_request` function answers with: a head and a body in memory.
    ///
    /// ```swift
    /// try app.route("/") { _ in "hello" }
    /// ```
    public struct Response: Sendable, ExpressibleByStringInterpolation {
        /// Status and header fields.
        public var head: HTTPResponse
        /// The body, in bytes.
        public var body: [UInt8]
        /// Whether the app made the response itself, for an error that no handler answered.
        public internal(set) var isBuiltInPage = false

        /// Makes a response.
        public init(status: HTTPResponse.Status = .ok, headerFields: HTTPFields = [:], body: [UInt8] = []) {
            self.head = HTTPResponse(status: status, headerFields: headerFields)
            self.body = body
        }

        /// Makes a response of plain text, in UTF-8.
        public init(_ text: String, status: HTTPResponse.Status = .ok) {
            self.init(status: status, headerFields: [.contentType: "text/plain; charset=utf-8"], body: Array(text.utf8))
        }

        /// Makes a response of plain text.
        public init(stringLiteral text: String) {
            self.init(text)
        }

        /// The page for an HTTP error that no handler answered.
        init(page abort: Abort) {
            self.init(abort.message ?? abort.status.reasonPhrase, status: abort.status)
            for field in abort.headerFields { self.head.headerFields[field.name] = nil }
            for field in abort.headerFields { self.head.headerFields.append(field) }
            self.isBuiltInPage = true
        }

        /// The status.
        public var status: HTTPResponse.Status {
            get { self.head.status }
            set { self.head.status = newValue }
        }

        /// The header fields.
        public var headerFields: HTTPFields {
            get { self.head.headerFields }
            set { self.head.headerFields = newValue }
        }

        /// The body as text; what is not UTF-8 is replaced by U+FFFD.
        public var text: String { String(decoding: self.body, as: UTF8.self) }
    }
}
