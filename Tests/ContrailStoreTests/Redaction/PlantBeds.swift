// The fields of a trail in which something can be planted, each reached as a service reaches it.

import ContextVariables
import Contrail
import ContrailRecorder
import Foundation
import HTTPTypes
import Logging

/// Puts a text into one field at a time.
final class PlantBeds: Sendable {
    /// A field.
    struct Field: Sendable {
        /// What a field can hold.
        enum Holding: Sendable {
            /// Any text; what is secret in it shows by its shape.
            case text
            /// The same, in one line.
            case line
            /// A text under a name; the name makes it secret.
            case named
            /// A `Secret`.
            case wrapped
        }

        let name: String
        let holds: Holding
        /// Whether what is no secret is in the trail or the log afterwards.
        var isRecorded = true
        let plant: @Sendable (PlantBeds, _ text: String, _ name: String) async throws -> Void

        /// A text that is no secret, to be found if the field is recorded.
        var marker: String { "open-\(self.name.replacing(" ", with: "-"))." }
    }

    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct Order: Codable, Sendable {
        var number = 7
        var notes: [String]
        var named: [String: String]
    }

    private final class Speaking: TrailEncodable {
        let note: String

        init(_ note: String) { self.note = note }

        func encodeForTrail(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(["state": self.note])
        }
    }

    private let recorder: FlightRecorder
    private let logger: Logger

    init(recorder: FlightRecorder, logger: Logger) {
        self.recorder = recorder
        self.logger = logger
    }

    /// Puts the text into the field. What the field refuses to take is planted nowhere, and its marker misses.
    func plant(_ text: String, in field: Field, under name: String) async {
        try? await field.plant(self, text, name)
    }

    var fields: [Field] { Self.values + Self.names + Self.requests + Self.errors + Self.secrets }

    private func app(_ name: String = "shop", sessions: (any SessionInterface)? = nil) -> App {
        App(name, recorder: self.recorder, recording: .init(level: .replay), sessions: sessions)
    }

    private func inContext(_ body: (AppContext) throws -> Void) throws {
        try withAppContext(self.app()) { context throws in try body(context) }
    }

    private func request(
        path: String = "/orders",
        headers: HTTPFields = [:],
        body: String = "",
        requestID: String? = nil,
        response: App.Response = App.Response("made")
    ) async throws {
        let app = self.app()
        let answer = response
        try app.route("/orders", methods: [.post]) { _ in answer }
        let head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: path, headerFields: headers)
        if let requestID {
            try withAppContext(app) { _ throws in
                let context = App.RequestContext(app, head, requestID: requestID)
                try context.push()
                try context.pop()
            }
        } else {
            _ = try await app.dispatch(head, body: Array(body.utf8))
        }
    }

    private static func percent(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = Unicode.Scalar(byte).properties.isAlphabetic && byte < 0x80
            return isPlain
                ? String(decoding: [byte], as: UTF8.self) : "%" + String(Int(byte) + 0x100, radix: 16).suffix(2)
        }.joined()
    }

    private static func header(_ name: String, _ value: String) -> HTTPFields {
        guard let name = HTTPField.Name(name) else { return [:] }
        return [name: value]
    }

    // MARK: - The fields

    private static let values: [Field] = [
        Field(name: "value of g", holds: .text) { beds, text, _ in try beds.inContext { $0.g["note"] = text } },
        Field(name: "long value of g", holds: .text) { beds, text, _ in
            let padded = String(repeating: "tea ", count: 30) + text + " milk"
            try beds.inContext { $0.g["note"] = padded }
        },
        Field(name: "member of a value", holds: .text) { beds, text, _ in
            try beds.inContext { $0.g["order"] = Order(notes: [text], named: [:]) }
        },
        Field(name: "key in a value", holds: .line) { beds, text, _ in
            try beds.inContext { $0.g["order"] = [text: 1] }
        },
        Field(name: "value that encodes itself", holds: .text) { beds, text, _ in
            try beds.inContext { $0.g["order"] = Speaking(text) }
        },
        Field(name: "drawn value", holds: .text) { beds, text, _ in
            try beds.inContext { _ = $0.value("note") { text } }
        },
        Field(name: "drawn error", holds: .text, isRecorded: false) { beds, text, _ in
            try beds.inContext { _ = try? $0.value("note") { () throws -> Int in throw Failure(description: text) } }
        },
        Field(name: "session", holds: .text, isRecorded: false) { beds, text, _ in
            let app = beds.app(sessions: MemorySessions())
            try app.route("/") { context in
                try context.session.set("note", .string(text))
                return "made"
            }
            _ = try app.dispatch(HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/"))
        },
    ]

    private static let names: [Field] = [
        Field(name: "key of g", holds: .line) { beds, text, _ in try beds.inContext { $0.g[text] = 1 } },
        Field(name: "removed key of g", holds: .line) { beds, text, _ in
            try beds.inContext {
                $0.g[text] = 1
                try $0.g.remove(text)
            }
        },
        Field(name: "label of a snapshot", holds: .line) { beds, text, _ in try beds.inContext { $0.g.snapshot(text) }
        },
        Field(name: "mark", holds: .line) { beds, text, _ in try beds.inContext { _ in Current.mark(text) } },
        Field(name: "name of a hand-off", holds: .line) { beds, text, _ in
            try beds.inContext { _ in _ = try ContextSnapshot(text) }
        },
        Field(name: "name of a drawn value", holds: .line) { beds, text, _ in
            try beds.inContext { _ = $0.value(text) { 1 } }
        },
        Field(name: "name of a hook", holds: .line) { beds, text, _ in
            let app = beds.app()
            try app.teardownAppContext(text) { _, _ in throw Failure(description: "closed") }
            try withAppContext(app) { _ throws in }
        },
        Field(name: "kind of a worker", holds: .line) { beds, text, _ in
            beds.app().recycle(Worker(kind: text, number: 7))
        },
        Field(name: "name in a problem", holds: .line) { beds, text, _ in
            try beds.inContext { _ in try? AppContext(beds.app(text)).pop() }
        },
        Field(name: "name of an app", holds: .line) { beds, text, _ in
            try withAppContext(beds.app(text)) { _ throws in }
        },
        Field(name: "name of a route", holds: .line) { beds, text, _ in
            let app = beds.app()
            let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")
            try withAppContext(app) { _ throws in
                let context = App.RequestContext(app, head, endpoint: text)
                try context.push()
                try context.pop()
            }
        },
        Field(name: "log of a variable", holds: .text, isRecorded: false) { beds, text, _ in
            let variable = RecyclableVariable<String>("note", logger: beds.logger)
            beds.logger.info("open-log")
            try beds.inContext { _ in try variable.set(text) }
        },
    ]

    private static let requests: [Field] = [
        Field(name: "path", holds: .text) { beds, text, _ in
            try? await beds.request(path: "/" + PlantBeds.percent(text))
        },
        Field(name: "query", holds: .text) { beds, text, _ in
            try await beds.request(path: "/orders?note=" + PlantBeds.percent(text))
        },
        Field(name: "id of a request", holds: .line) { beds, text, _ in try await beds.request(requestID: text) },
        Field(name: "header", holds: .line) { beds, text, _ in
            try await beds.request(headers: PlantBeds.header("user-agent", text))
        },
        Field(name: "other header", holds: .line, isRecorded: false) { beds, text, _ in
            try await beds.request(headers: PlantBeds.header("x-note", text))
        },
        Field(name: "id of a trace", holds: .line) { beds, text, _ in
            try await beds.request(headers: PlantBeds.header("traceparent", "00-\(text)-00f067aa0ba902b7-01"))
        },
        Field(name: "request body", holds: .text) { beds, text, _ in try await beds.request(body: "note: \(text) end")
        },
        Field(name: "request body in JSON", holds: .text) { beds, text, _ in
            let body = try JSONEncoder().encode(["note": text])
            try await beds.request(
                headers: [.contentType: "application/json"],
                body: String(decoding: body, as: UTF8.self)
            )
        },
        Field(name: "request body of a form", holds: .text) { beds, text, _ in
            try await beds.request(
                headers: [.contentType: "application/x-www-form-urlencoded"],
                body: "a=1&note=\(PlantBeds.percent(text))"
            )
        },
        Field(name: "response body", holds: .text) { beds, text, _ in
            try await beds.request(response: App.Response("made: \(text)."))
        },
        Field(name: "response header", holds: .line) { beds, text, _ in
            var response = App.Response("made")
            response.headerFields[.location] = "/orders/7?note=\(PlantBeds.percent(text))"
            try await beds.request(response: response)
        },
    ]

    private static let errors: [Field] = [
        Field(name: "error", holds: .text) { beds, text, _ in
            try? beds.inContext { _ in throw Failure(description: "no: \(text)") }
        },
        Field(name: "error of a view", holds: .text) { beds, text, _ in
            let app = beds.app()
            try app.route("/") { _ throws -> App.Response in throw Failure(description: text) }
            _ = try app.dispatch(HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/"))
        },
        Field(name: "error of a hook", holds: .text) { beds, text, _ in
            let app = beds.app()
            try app.teardownAppContext("close") { _, _ in throw Failure(description: text) }
            try withAppContext(app) { _ throws in }
        },
        Field(name: "error of a receiver", holds: .text) { beds, text, _ in
            let app = beds.app()
            let connection = Signals.appContextPopped.connect(to: app) { _, _ in throw Failure(description: text) }
            defer { Signals.appContextPopped.disconnect(connection) }
            try withAppContext(app) { _ throws in }
        },
    ]

    private static let secrets: [Field] = [
        Field(name: "named value of g", holds: .named) { beds, text, name in try beds.inContext { $0.g[name] = text } },
        Field(name: "named member of a value", holds: .named) { beds, text, name in
            try beds.inContext { $0.g["order"] = Order(notes: [], named: [name: text]) }
        },
        Field(name: "named drawn value", holds: .named) { beds, text, name in
            try beds.inContext { _ = $0.value(name) { text } }
        },
        Field(name: "named argument", holds: .named) { beds, text, name in
            try await beds.request(path: "/orders?a=1&\(name)=\(text)")
        },
        Field(name: "named member of a body", holds: .named) { beds, text, name in
            try await beds.request(body: "{\"user\": \"ann\", \"\(name)\": \"\(text)\"}")
        },
        Field(name: "named part of an error", holds: .named) { beds, text, name in
            try? beds.inContext { _ in throw Failure(description: "refused, \(name)=\(text), again") }
        },
        Field(name: "cookie", holds: .named, isRecorded: false) { beds, text, name in
            try await beds.request(headers: [.cookie: "\(name)=\(text)"])
        },
        Field(name: "set cookie", holds: .named, isRecorded: false) { beds, text, name in
            var response = App.Response("made")
            response.headerFields[.setCookie] = "\(name)=\(text); Path=/"
            try await beds.request(response: response)
        },
        Field(name: "authorization", holds: .named, isRecorded: false) { beds, text, _ in
            try await beds.request(headers: [.authorization: "Bearer \(text)"])
        },
        Field(name: "wrapped value", holds: .wrapped, isRecorded: false) { beds, text, name in
            try beds.inContext { $0.g[name] = Secret(text) }
        },
    ]
}
