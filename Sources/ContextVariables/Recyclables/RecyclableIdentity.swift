// What a unit knows of a recyclable variable that it keeps a value for, whatever the value's type.

internal import Logging

/// The part of a recyclable variable that does not depend on its type, and what it logs.
///
/// Nothing is computed for a log that is off. The value itself is never logged: it may be a secret, and describing it would run
/// user code.
final class RecyclableIdentity: Sendable {
    let id = VariableID.next()
    let name: String
    let policy: RecyclablePolicy

    private let logger: Logger?

    init(name: String, policy: RecyclablePolicy, logger: Logger?) {
        self.name = name
        self.policy = policy
        self.logger = logger
    }

    /// Whether anything is to be logged at all.
    @inline(__always)
    var logs: Bool {
        guard let logger else { return false }
        return logger.logLevel <= .debug
    }

    func logHit(epoch: Epoch) {
        self.log("recyclable get: hit", epoch, reason: nil)
    }

    func logMiss(_ miss: RecyclableMiss) {
        self.log("recyclable get: miss", miss.epoch, reason: miss.code.description)
    }

    func logSet(epoch: Epoch) {
        self.log("recyclable set", epoch, reason: nil)
    }

    func logRecycle(epoch: Epoch) {
        self.log("recyclable recycled", epoch, reason: nil)
    }

    private func log(_ message: Logger.Message, _ epoch: Epoch?, reason: String?) {
        guard self.logs, let logger else { return }
        var metadata: Logger.Metadata = ["variable": .string(self.name)]
        if let epoch { metadata["epoch"] = .stringConvertible(epoch.rawValue) }
        if let reason { metadata["reason"] = .string(reason) }
        logger.debug(message, metadata: metadata)
    }
}
