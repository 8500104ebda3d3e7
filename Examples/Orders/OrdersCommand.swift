// The example service: an order desk whose requests leave a trail.

internal import ArgumentParser
private import Contrail
private import ContrailStore
private import Foundation
private import Hummingbird
private import Logging
private import NIOCore
private import NIOPosix
private import ServiceLifecycle
private import UnixSignals

/// Starts the order desk on the loopback interface.
struct OrdersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "Orders",
        abstract: "An order desk that embeds Contrail.",
        discussion: "Stops on SIGTERM and SIGINT: requests in flight are finished, and the trail is written to its end."
    )

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = 8080

    @Option(help: "The database of the orders.")
    var database = "var/orders.sqlite"

    @Option(help: "The database of the trail.")
    var trail = "var/contrail.sqlite"

    func validate() throws {
        guard (0...65_535).contains(self.port) else {
            throw ValidationError("\(self.port) is not a port: use 0 to 65535 with --port")
        }
        let files = [self.database, self.trail].map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
        guard files[0] != files[1] else {
            throw ValidationError("--database and --trail name the same file: give each its own")
        }
    }

    func run() async throws {
        // What cannot work is refused before anything is made.
        try await self.checkPort()
        try OrderDatabase.check(self.database)
        let logger = Self.logger
        let trail = try TrailStore(
            path: self.trail,
            app: "orders",
            configuration: TrailStore.Configuration(version: "1.0.0", logger: logger)
        )
        let desk = try OrderDesk(orders: OrderDatabase(path: self.database), trail: trail)
        let server = Application(
            router: desk.router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: self.port)),
            onServerRunning: { channel in
                print("listening on http://127.0.0.1:\(channel.localAddress?.port ?? self.port)")
                fflush(nil)
            },
            logger: logger
        )
        // Services stop in reverse order: first the server, then the jobs, and the trail when both have said their last.
        var group = ServiceGroupConfiguration(
            services: [trail, desk.shipping, server],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        group.maximumGracefulShutdownDuration = .seconds(3)
        // After three seconds everything is cancelled at once, and the trail is for this call to close.
        defer { trail.close() }
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as IOError {
            throw self.meaning(of: error)
        }
    }

    private func checkPort() async throws {
        do {
            let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            try await bootstrap.bind(host: "127.0.0.1", port: self.port).get().close().get()
        } catch let error as IOError {
            throw self.meaning(of: error)
        }
    }

    private func meaning(of error: IOError) -> any Error {
        switch error.errnoCode {
        case EADDRINUSE: Refusal("port \(self.port) is in use: choose another with --port")
        case EACCES: Refusal("port \(self.port) needs privileges: choose one above 1023 with --port")
        default: error
        }
    }

    private static var logger: Logger {
        var logger = Logger(label: "orders")
        logger.logLevel = .error
        return logger
    }
}

@main
enum Main {
    static func main() async { await OrdersCommand.runReportingErrors() }
}

extension OrdersCommand {
    /// Runs the command. An error is one line on standard error that names the cause and the remedy.
    static func runReportingErrors() async {
        do {
            guard var command = try self.parseAsRoot() as? any AsyncParsableCommand else { return }
            try await command.run()
        } catch {
            let code = self.exitCode(for: error)
            if code == .success { self.exit(withError: error) }
            let message = (error as? StoreError)?.message ?? self.message(for: error)
            let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
            let hint = code == .validationFailure ? "; see Orders --help" : ""
            FileHandle.standardError.write(Data("Orders: \(line)\(hint)\n".utf8))
            Foundation.exit(code.rawValue)
        }
    }
}
