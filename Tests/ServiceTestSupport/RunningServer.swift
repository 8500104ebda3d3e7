// A real server on a free port of the loopback interface, for the length of a test.

package import Foundation
package import Hummingbird
import Logging
import ServiceLifecycle

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The head of a response.
package struct ResponseHead: Sendable {
    /// The status code.
    package let status: Int
    private let fields: [String: String]

    fileprivate init(_ response: HTTPURLResponse) {
        self.status = response.statusCode
        self.fields = response.allHeaderFields.reduce(into: [:]) { fields, field in
            fields["\(field.key)".lowercased()] = "\(field.value)"
        }
    }

    /// The value of a header field.
    package func header(_ name: String) -> String? { self.fields[name.lowercased()] }
}

/// A server that is listening.
package struct RunningServer: Sendable {
    /// The port it listens on.
    package let port: Int

    /// Sends a request and gives its response with the whole body.
    package func send(
        _ method: String = "GET",
        _ path: String,
        headers: [String: String] = [:],
        body: String? = nil
    ) async throws -> (ResponseHead, Data) {
        guard let url = URL(string: "http://127.0.0.1:\(self.port)\(path)") else { throw URLError(.badURL) }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        return (ResponseHead(response), data)
    }
}

/// Runs the closure while the router is served, and shuts the server down in order afterwards.
package func withServer<Context: RequestContext>(
    _ router: Router<Context>,
    _ operation: (RunningServer) async throws -> Void
) async throws where Context.Source == ApplicationRequestContextSource {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let application = Application(
        router: router,
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
        logger: logger
    )
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [application], logger: logger))
    let running = Task { try await group.run() }
    for await port in ports.prefix(1) {
        do {
            try await operation(RunningServer(port: port))
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
    }
    await group.triggerGracefulShutdown()
    try await running.value
}
