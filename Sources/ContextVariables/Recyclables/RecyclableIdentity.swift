// What a unit knows of a recyclable variable that it keeps a value for, whatever the value's type.

internal import Logging

/// The part of a recyclable variable that does not depend on its type, and what it logs.
///
/// Nothing is computed for a log that is off. The value itself is never logged: it may be a secret, and describing it would run
/// user code.
@usableFromInline
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

    // MARK: - Reading

    /// Reads the value in the caller's unit, if there is one, with the log of the read.
    @usableFromInline
    func readCurrent(_ reader: BoxReader) {
        if self.logs {
            self.read(in: Scope.currentUnit, reader)
        } else {
            Scope.readCurrentUnit(self.id, reader)
        }
    }

    /// Reads the value in a unit, if there is one, with the log of the read.
    @usableFromInline
    func read(in unit: WorkUnit?, _ reader: BoxReader) {
        let isHit = unit?.read(self.id, reader) == true
        if self.logs { self.logGet(in: unit, isHit: isHit) }
    }

    /// Why a read would miss in a unit; `nil` when there is a value.
    func miss(in unit: WorkUnit?) -> RecyclableMiss? {
        guard let unit else { return .outsideUnit }
        if unit.contains(self.id) { return nil }
        return unit.isEnded ? .recycled(epoch: unit.epoch) : .neverSet(epoch: unit.epoch)
    }

    /// The error of a read that missed where the caller is.
    @usableFromInline
    func currentMissError(fileID: StaticString, line: UInt) -> VariableError {
        self.missError(in: Scope.currentUnit, fileID: fileID, line: line)
    }

    /// The error of a call that missed in a unit.
    @usableFromInline
    func missError(in unit: WorkUnit?, fileID: StaticString, line: UInt) -> VariableError {
        if let miss = self.miss(in: unit) { return miss.error(self.name, fileID: fileID, line: line) }
        return VariableError(
            .neverSet,
            "the recyclable variable \"\(self.name)\" was set while it was being read: read it again",
            fileID: fileID,
            line: line
        )
    }

    // MARK: - Boot values

    /// Whether a value may come from before the first recycle.
    @usableFromInline
    var mayBeBootValue: Bool { self.policy.bootValues == .surviveFirstRecycle }

    /// Tells the contexts around the caller that it has read a value that survived the first recycle; once for each.
    @usableFromInline
    func reportBootValue(fileID: StaticString, line: UInt) {
        guard let survivor = Scope.currentUnit?.takeSurvivor(self.id), let layers = Scope.currentLayers else { return }
        layers.noteBootValue(
            BootValueRead(
                variable: self.name,
                epoch: survivor.epoch,
                place: survivor.place,
                readFileID: fileID,
                readLine: line
            )
        )
    }

    // MARK: - Logging

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

    private func logGet(in unit: WorkUnit?, isHit: Bool) {
        if isHit, let unit {
            self.logHit(epoch: unit.epoch)
        } else if let miss = self.miss(in: unit) {
            self.logMiss(miss)
        }
    }

    private func log(_ message: Logger.Message, _ epoch: Epoch?, reason: String?) {
        guard self.logs, let logger else { return }
        var metadata: Logger.Metadata = ["variable": .string(self.name)]
        if let epoch { metadata["epoch"] = .stringConvertible(epoch.rawValue) }
        if let reason { metadata["reason"] = .string(reason) }
        logger.debug(message, metadata: metadata)
    }
}
