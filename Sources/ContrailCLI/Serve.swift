// contrail serve: the postmortem service over a trail file, without the service that wrote it.

internal import ArgumentParser
private import ContrailServer
private import Hummingbird
private import Logging
private import NIOCore
private import ServiceLifecycle
private import UnixSignals

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// Serves a trail over HTTP on the loopback interface.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answers SQL about a trail over HTTP, on the loopback interface only.",
        discussion: """
            Routes: GET|POST /v1/query, GET /v1/runs, GET /v1/contexts/{id}, GET /healthz. Stops on SIGTERM and SIGINT.
            """
    )

    @OptionGroup var trail: TrailOption

    @Option(help: "The loopback address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 takes a free one and prints it.")
    var port = 8081

    func validate() throws {
        guard ["127.0.0.1", "localhost", "::1"].contains(self.host) else {
            throw ValidationError("\(self.host) is not a loopback address: use 127.0.0.1, localhost or ::1 with --host")
        }
        guard (0...65_535).contains(self.port) else {
            throw ValidationError("\(self.port) is not a port: use 0 to 65535 with --port")
        }
    }

    func run() async throws {
        try await self.trail.checkReading()
        let router = Router(context: LoopbackRequestContext.self)
        let hadLog = self.trail.hasLog
        let postmortem = Postmortem(database: self.trail.path)
        defer {
            postmortem.close()
            if !hadLog { self.trail.removeIdleIndex() }
        }
        postmortem.addRoutes(to: router.group())
        var logger = Logger(label: "contrail.serve")
        logger.logLevel = .warning
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname(self.host, port: self.port)),
            onServerRunning: { channel in
                print("listening on http://\(self.host):\(channel.localAddress?.port ?? self.port)")
                fflush(nil)
            },
            logger: logger
        )
        var group = ServiceGroupConfiguration(
            services: [application],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        group.maximumGracefulShutdownDuration = .seconds(3)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw Refusal("port \(self.port) on \(self.host) is in use: choose another with --port")
        } catch let error as IOError where error.errnoCode == EACCES {
            throw Refusal("port \(self.port) needs privileges: choose one above 1023 with --port")
        }
    }
}

/// A request context that knows the client's address, which the postmortem service asks for.
private struct LoopbackRequestContext: RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?

    init(source: Source) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.remoteAddress = source.channel.remoteAddress
    }
}
