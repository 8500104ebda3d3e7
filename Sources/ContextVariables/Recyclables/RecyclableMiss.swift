// Why a read of a recyclable variable found no value.

/// Why a read of a recyclable variable found no value.
public enum RecyclableMiss: Sendable, Hashable {
    /// The unit of this epoch has not set it.
    case neverSet(epoch: Epoch)
    /// The unit of this epoch has ended, and its values with it.
    case recycled(epoch: Epoch)
    /// No unit of work is current.
    case outsideUnit

    /// The epoch of the unit that was asked; `nil` outside any.
    public var epoch: Epoch? {
        switch self {
        case .neverSet(let epoch), .recycled(let epoch): epoch
        case .outsideUnit: nil
        }
    }

    /// The code of the error that a throwing read gives for it.
    public var code: VariableError.Code {
        switch self {
        case .neverSet: .neverSet
        case .recycled: .recycled
        case .outsideUnit: .outsideUnit
        }
    }

    /// The error for a call at a site, about a variable.
    func error(_ name: String, fileID: StaticString, line: UInt) -> VariableError {
        let message =
            switch self {
            case .recycled(let epoch):
                "the recyclable variable \"\(name)\" is gone: its unit (epoch \(epoch)) has ended; load it again in this one"
            case .outsideUnit:
                "the recyclable variable \"\(name)\" needs a unit of work: enter withRequestContext or withAppContext first, "
                    + "or Worker.run(_:)"
            case .neverSet(let epoch):
                "the recyclable variable \"\(name)\" was not set in this unit (epoch \(epoch)): set it, or use getOrLoad"
            }
        return VariableError(self.code, message, fileID: fileID, line: line)
    }
}
