// The ring of a process that is gone.

/// The file that a killed process left: what it had recorded and its drain had not committed.
///
/// Opening it changes nothing. Whatever the file holds, reading it ends and gives only records whose checksum is right. Ask
/// before whether its process is gone. One thread at a time.
package struct DeadRing {
    /// What the file says about itself.
    package let header: RingHeader
    private let memory: RingMemory
    private var reader: EventReader

    /// Opens the file of a ring. Throws ``RingError`` with `inaccessible` or `notARing`.
    package init(path: String) throws(RingError) {
        let memory = try RingMemory.open(path)
        self.memory = memory
        self.header = RingHeader(memory)
        self.reader = EventReader(RecordRing(memory))
    }

    /// What was in the ring.
    package enum Finding: Sendable {
        /// An event that was recorded.
        case event(TrailEvent)
        /// A record that was begun and never finished.
        case torn(TrailEvent.Torn)
    }

    /// What comes next, in the order of the numbers; nil at the end.
    package mutating func next() -> Finding? {
        switch self.reader.next(at: .max) {
        case .nothing: nil
        case .event(let event): .event(event)
        case .torn(let torn): .torn(torn)
        }
    }

    /// The last number that the process had given to an event.
    package var lastSeq: UInt64 { self.reader.lastClaimed }

    /// Removes the file.
    package func remove() { self.memory.removeFile() }
}
