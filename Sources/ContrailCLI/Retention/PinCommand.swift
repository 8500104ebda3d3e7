// contrail retention pin and unpin: which contexts stay.

internal import ArgumentParser
private import ContrailStore

/// Pins a context.
struct PinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin",
        abstract: "Keeps a context and its events from being dropped."
    )

    @OptionGroup var pin: PinOption

    func run() throws { try self.pin.set(true) }
}

/// Unpins a context.
struct UnpinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpin",
        abstract: "Lets a pinned context go when its time has come."
    )

    @OptionGroup var pin: PinOption

    func run() throws { try self.pin.set(false) }
}

/// Which context, of which trail.
struct PinOption: ParsableArguments {
    @OptionGroup var trail: TrailOption

    @Argument(help: "The context's id, as in contexts.context_id.")
    var contextID: Int64

    @Option(help: "A file with the key of the chain, if the trail is written with one.")
    var keyFile: String?

    func set(_ isPinned: Bool) throws {
        let integrity = try TrailKey.read(self.keyFile).map { TrailStore.Integrity.keyed($0) } ?? .chained
        try Pinning(path: self.trail.path).set(self.contextID, isPinned: isPinned, integrity: integrity)
        print("context \(self.contextID) is \(isPinned ? "pinned" : "not pinned")")
    }
}
