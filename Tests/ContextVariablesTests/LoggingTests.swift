// What a recyclable variable logs, and that it logs nothing unless asked.

import ContextVariables
import Logging
import Testing

@Suite("Logging")
struct LoggingTests {
    private let lines = Recorded<String>()

    private func logger(_ level: Logger.Level) -> Logger {
        var logger = Logger(label: "variables") { _ in LineHandler(lines: self.lines) }
        logger.logLevel = level
        return logger
    }

    @Test("At debug every set, hit, miss and recycle leaves a line with name, epoch and reason, and never the value.")
    func debug() throws {
        let secret = RecyclableVariable<String>("secret", logger: self.logger(.debug))
        let worker = Worker(kind: "job", number: 1)
        let epoch = try worker.run { () throws -> Epoch? in
            _ = secret.get(default: "")
            try secret.set("hunter2")
            _ = try secret.get()
            _ = UnitVariables.current[secret]
            return worker.epoch
        }
        let number = try #require(epoch)
        #expect(
            self.lines.elements == [
                "recyclable get: miss epoch=\(number) reason=never_set variable=secret",
                "recyclable set epoch=\(number) variable=secret",
                "recyclable get: hit epoch=\(number) variable=secret",
                "recyclable get: hit epoch=\(number) variable=secret",
                "recyclable recycled epoch=\(number) variable=secret",
            ]
        )
        #expect(secret.get(default: "") == "")
        #expect(self.lines.elements.last == "recyclable get: miss reason=outside_unit variable=secret")
    }

    @Test("A load leaves a miss and a set, and who finds its value a hit.")
    func loading() async throws {
        let variable = RecyclableVariable<Int>("v", logger: self.logger(.trace))
        try await inUnit { () async throws in
            _ = try await variable.getOrLoad { 1 }
            _ = try await variable.getOrLoad { 2 }
        }
        #expect(self.lines.elements.map { $0.prefix { $0 != "e" } }.count == 3)
        #expect(self.lines.elements.map { $0.contains("miss") } == [true, false, false])
        #expect(self.lines.elements.map { $0.contains("hit") } == [false, false, true])
    }

    @Test("Above debug nothing is logged.")
    func quiet() throws {
        let variable = RecyclableVariable<Int>("v", logger: self.logger(.info))
        try Worker(kind: "job", number: 1).run { () throws in
            try variable.set(1)
            _ = try variable.get()
        }
        #expect(self.lines.elements.isEmpty)
    }

    @Test("A handler may use the variable it hears of: nothing is logged under a lock.")
    func reentrant() throws {
        let held = Recorded<RecyclableVariable<Int>>()
        let handler = AskingHandler(held: held, lines: self.lines)
        var logger = Logger(label: "variables") { _ in handler }
        logger.logLevel = .debug
        let variable = RecyclableVariable<Int>("v", logger: logger)
        held.add(variable)
        try Worker(kind: "job", number: 1).run { () throws in try variable.set(1) }
        #expect(self.lines.elements == ["recyclable set true", "recyclable recycled false"])
    }
}

/// Keeps each line: message, then metadata by name.
private struct LineHandler: LogHandler {
    let lines: Recorded<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        self.lines.add((["\(event.message)"] + metadata).joined(separator: " "))
    }
}

/// Looks at the unit from inside a log call.
private struct AskingHandler: LogHandler {
    let held: Recorded<RecyclableVariable<Int>>
    let lines: Recorded<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard let variable = self.held.elements.first else { return }
        self.lines.add("\(event.message) \(variable.miss == nil)")
    }
}
