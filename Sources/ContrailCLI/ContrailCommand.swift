// The command `contrail` and how it reports errors.

internal import ArgumentParser
private import ContrailStore
private import Foundation

/// The root command.
struct ContrailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contrail",
        abstract: "Reads the trail that a service's contexts left.",
        version: "0.1.0",
        subcommands: [
            Serve.self, Query.self, Recover.self, Verify.self, MakeAnew.self, Erase.self, RetentionCommand.self,
        ]
    )
}

@main
enum Main {
    static func main() async { await ContrailCommand.runReportingErrors() }
}

extension ContrailCommand {
    /// Runs the command. An error is one line on standard error that names the cause and the remedy.
    static func runReportingErrors() async {
        do {
            var command = try self.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            self.report(error)
        }
    }

    private static func report(_ error: any Error) -> Never {
        let code = self.exitCode(for: error)
        // Help and version are errors to the parser; they are no failures, and keep their form.
        if code == .success { self.exit(withError: error) }
        let message = (error as? StoreError)?.message ?? self.message(for: error)
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        let hint = code == .validationFailure ? "; see contrail --help" : ""
        StandardError.write("contrail: \(line)\(hint)")
        Foundation.exit(code.rawValue)
    }
}
