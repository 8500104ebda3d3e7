// contrail erase: one person's value goes, the chain stays.

internal import ArgumentParser
private import ContrailStore

/// Erases the values of one key.
struct Erase: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Erases a value of a key from a trail, for good.",
        discussion: """
            It goes from g and its snapshots, from drawn values, and from requests and responses that were recorded for a \
            replay: a header by itself, a query or a body as a whole. The chain stays valid, and an event of the kind erase \
            says how many payloads lost it under which key. No byte of them is left in the database, its log or the rings of \
            processes that record. It does not look into paths, error texts and values under other names.
            """
    )

    @OptionGroup var trail: TrailOption

    @Option(help: "The name under which it stands: a key of g, a member of a document, a field, a header.")
    var key: String

    @Option(help: "The value, as text.")
    var equals: String

    @Option(help: "A file with the key of the chain, if the trail is written with one.")
    var keyFile: String?

    func run() throws {
        let integrity = try TrailKey.read(self.keyFile).map { TrailStore.Integrity.keyed($0) } ?? .chained
        let report = try Erasure(path: self.trail.path).run(key: self.key, equals: self.equals, integrity: integrity)
        print("\(report.erased) values erased")
        if let ring = report.waitingRings.first {
            throw Refusal(
                "what is in the ring \(ring) is not committed: run contrail erase again when its process has done that"
            )
        }
        guard report.isLogEmpty else {
            throw Refusal("a reader holds the log, where the value still is: end it, and run contrail erase again")
        }
    }
}
