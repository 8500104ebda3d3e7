// The bytes of a ring's file, as an input describes them.

internal import ContrailRecorder
internal import Foundation

/// A ring that a program may have left, and what an input changes in it.
///
/// An input is a list of changes to a whole ring with records of every kind. Each has a byte that says what it is:
/// `0` eight bytes of the header; `1` bytes of the dictionary; `2` bytes of a slot; anything else a record of its own, of the kind
/// of that byte. Records, and the names that were changed, get the checksums that they must have, unless the first byte of the
/// input is odd: then the bytes stand as they are.
package struct RingImage {
    /// How many slots the ring has.
    package static let slots = 64
    private static let layout = RingLayout(slots: Self.slots)
    private static let salt: UInt64 = 0x5EED

    /// The file.
    package private(set) var bytes: [UInt8]
    private var changedCells: Set<Int> = []

    /// Makes the file that the input describes, out of a whole one.
    package init(_ input: UnsafeRawBufferPointer, changing whole: [UInt8]) {
        self.bytes = whole
        var input = InputBytes(input)
        let isSealed = input.byte() & 1 == 0
        while !input.isAtEnd {
            let what = input.byte()
            switch what {
            case 0: self.put(input.bytes(8), at: Int(input.byte()) * 2)
            case 1:
                let cell = Int(input.byte()) % Self.layout.cells
                self.changedCells.insert(cell)
                self.put(
                    input.bytes(Int(input.byte())),
                    at: Self.layout.dictionaryOffset + cell * RingLayout.slotSize + 8
                )
                self.set(UInt16(input.byte()) | UInt16(input.byte() & 3) << 8, at: self.cell(cell))
            case 2:
                let slot = Int(input.byte()) % Self.slots
                self.put(input.bytes(Int(input.byte()) % 129), at: self.slot(slot) + Int(input.byte()) % 64)
            default: self.addRecord(kind: what, &input)
            }
        }
        if isSealed { self.seal() }
    }

    /// A file that a recorder wrote: an event of each kind, with names in the dictionary and without.
    package static func whole(at path: String) throws -> [UInt8] {
        try? FileManager.default.removeItem(atPath: path)
        let memory = try RingMemory.create(Self.layout, at: path)
        memory.identify(
            runUUID: "run",
            bootID: "boot",
            owner: RingOwner(app: "app", version: "1", host: "host", executable: "/bin/app"),
            wallMicroseconds: 5,
            monotonicNanoseconds: 6
        )
        let recorder = FlightRecorder(configuration: .init(level: .replay, capacity: Self.slots), memory: memory)
        let site = Site()
        recorder.recordRunStart()
        let head = RecordHead(context: 1, epoch: 2, thread: 3, time: 7)
        let app = recorder.app("shop")
        recorder.recordAppPush(head, depth: 1, origin: .manual, app: app, named: "shop", parent: nil, site: site)
        for value: RecordedValue in [.null, .bool(true), .integer(-1), .double(0.5), .text("tea"), .redacted] {
            recorder.recordSet(head, key: recorder.name("key"), value: value, site: site)
        }
        recorder.recordSnapshot(head, label: "teardown", values: [(recorder.name("key"), .text("tea"))])
        recorder.recordDelete(head, key: recorder.name("key"), site: site)
        recorder.recordMark(head, name: "mark", site: site)
        recorder.recordFailure(head, step: "step", error: "error")
        recorder.recordRecycle(head, before: 1, variablesDropped: 2)
        recorder.recordInput(head, json: "{}")
        recorder.recordDrawn(head, name: recorder.name("now"), type: "Date", value: .integer(1))
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        // One salt for all runs: what a file holds follows from the input alone.
        withUnsafeBytes(of: Self.salt) { bytes.replaceSubrange(24..<32, with: $0) }
        var image = RingImage(bytes)
        image.changedCells = Set(0..<Self.layout.cells)
        image.seal()
        return image.bytes
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    // MARK: - Changes

    private func cell(_ cell: Int) -> Int { Self.layout.dictionaryOffset + cell * RingLayout.slotSize }

    private func slot(_ position: Int) -> Int {
        Self.layout.slotsOffset + (position & (Self.slots - 1)) * RingLayout.slotSize
    }

    private mutating func put(_ new: some Sequence<UInt8>, at offset: Int) {
        for (index, byte) in new.enumerated() where offset + index < self.bytes.count {
            self.bytes[offset + index] = byte
        }
    }

    private mutating func set<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        withUnsafeBytes(of: number) { self.put($0, at: offset) }
    }

    private func get<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type, at offset: Int) -> Number {
        self.bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
    }

    /// The number of the last event, and the position behind the last record.
    private var claimed: (seq: UInt64, position: UInt64) {
        let word = self.get(UInt64.self, at: RingLayout.Header.claimed)
        let freed = self.get(UInt64.self, at: RingLayout.Header.freed)
        let position = freed &+ ((word &- freed) & 0xFF_FFFF)
        return ((word &- position) >> 24, position)
    }

    /// Adds a record behind the last one, if there is room.
    private mutating func addRecord(kind: UInt8, _ input: inout InputBytes) {
        let (seq, position) = self.claimed
        let freed = self.get(UInt64.self, at: RingLayout.Header.freed)
        let fields = input.bytes(44)
        let rest = input.bytes(Int(input.byte()) | Int(input.byte() & 3) << 8)
        let count = RecordRing.slotCount(rest.count)
        guard position &- freed &+ count <= UInt64(Self.slots) else { return }
        let start = self.slot(Int(truncatingIfNeeded: position & 0xFFFF))
        self.set((position &+ 1) << 16 | count, at: start + RingLayout.Slot.commit)
        self.put(fields.prefix(4), at: start + RingLayout.Slot.context)
        self.put(fields.dropFirst(4), at: start + RingLayout.Slot.time)
        self.set((seq &+ 1) << 24 | UInt64(kind) << 16 | UInt64(rest.count), at: start + RingLayout.Slot.identity)
        for (index, byte) in rest.enumerated() {
            let slot = self.slot(Int(truncatingIfNeeded: position & 0xFFFF) + 1 + index / RingLayout.slotSize)
            self.bytes[slot + index % RingLayout.slotSize] = byte
        }
        let word = self.get(UInt64.self, at: RingLayout.Header.claimed)
        self.set(word &+ (1 << 24) &+ count, at: RingLayout.Header.claimed)
    }

    // MARK: - Checksums

    /// Gives every record that is there, and every name that was changed, the checksum that it must have.
    private mutating func seal() {
        let salt = self.get(UInt64.self, at: RingLayout.Header.salt)
        for cell in self.changedCells {
            let length = Int(self.get(UInt64.self, at: self.cell(cell)) & 0xFFFF)
            let start = self.cell(cell) + 8
            guard length > 0, start + length <= self.bytes.count else { continue }
            let word = self.bytes.withUnsafeBytes {
                RingDictionary.word(
                    UnsafeRawBufferPointer(rebasing: $0[start..<start + length]),
                    cell: cell,
                    salt: salt
                )
            }
            self.set(word, at: self.cell(cell))
        }
        var position = self.get(UInt64.self, at: RingLayout.Header.freed)
        for _ in 0..<Self.slots where position != self.claimed.position {
            let start = self.slot(Int(truncatingIfNeeded: position & 0xFFFF))
            let rest = Int(self.get(UInt64.self, at: start + RingLayout.Slot.identity) & 0xFFFF)
            let count = RecordRing.slotCount(rest)
            self.set(
                self.checksum(at: start, position: position, rest: rest, salt: salt),
                at: start + RingLayout.Slot.checksum
            )
            self.set((position &+ 1) << 16 | count, at: start + RingLayout.Slot.commit)
            position &+= count
        }
    }

    private func checksum(at start: Int, position: UInt64, rest: Int, salt: UInt64) -> UInt32 {
        let context = self.get(UInt32.self, at: start + RingLayout.Slot.context)
        var sum = RingChecksum(salt: salt ^ UInt64(context), position: position)
        for offset in [RingLayout.Slot.identity, RingLayout.Slot.thread, RingLayout.Slot.first] {
            sum.add(self.get(UInt64.self, at: start + offset), self.get(UInt64.self, at: start + offset + 8))
        }
        guard rest > 0 else { return sum.value }
        let bytes = (0..<min(rest, Self.slots * RingLayout.slotSize)).map { index in
            let slot = self.slot(Int(truncatingIfNeeded: position & 0xFFFF) + 1 + index / RingLayout.slotSize)
            return self.bytes[slot + index % RingLayout.slotSize]
        }
        bytes.withUnsafeBytes { sum.add($0) }
        return sum.value
    }
}
