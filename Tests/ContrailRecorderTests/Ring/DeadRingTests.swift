// The file of a ring after its process: what is in it, and what no file can make of the reader.

import ContrailRecorder
import Foundation
import TestSupport
import Testing

/// A folder of its own for one test.
private final class Folder {
    let path: String

    init() throws {
        let name = "ring-\(UInt64.random(in: 0 ... .max))"
        self.path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    var ring: String { self.path + "/ring" }

    /// One text is too long for its share of the header.
    static let owner = RingOwner(app: "shop", version: "", host: "höst", executable: String(repeating: "x", count: 900))

    /// A recorder whose ring is the file.
    func recorder(slots: Int = 64) throws -> FlightRecorder {
        let memory = try RingMemory.create(RingLayout(slots: slots), at: self.ring)
        memory.identify(
            runUUID: "run",
            bootID: "boot",
            owner: Self.owner,
            wallMicroseconds: 5,
            monotonicNanoseconds: 6
        )
        return FlightRecorder(configuration: .init(capacity: slots), memory: memory)
    }

    /// What the file holds.
    func events() throws -> (events: [TrailEvent], torn: [TrailEvent.Torn]) {
        var ring = try DeadRing(path: self.ring)
        var (events, torn): ([TrailEvent], [TrailEvent.Torn]) = ([], [])
        while let finding = ring.next() {
            switch finding {
            case .event(let event): events.append(event)
            case .torn(let record): torn.append(record)
            }
        }
        return (events, torn)
    }
}

private func mark(_ recorder: FlightRecorder, _ name: String) {
    recorder.recordMark(RecordHead(), name: name, site: Site())
}

@Suite("A ring that was left behind")
struct DeadRingTests {
    private func bytes(_ folder: Folder) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.ring)) }

    @Test("the file says whose it is, and whether it has anything that is in no database")
    func owner() throws {
        let folder = try Folder()
        let recorder = try folder.recorder(slots: 16)
        let empty = try DeadRing(path: folder.ring).header
        #expect(!empty.hasNews)
        #expect(empty.owner.app == "shop" && empty.owner.version == "" && empty.owner.host == "höst")
        #expect(empty.owner.executable == String(repeating: "x", count: 511))
        mark(recorder, "one")
        #expect(try DeadRing(path: folder.ring).header.hasNews)
        recorder.free(recorder.take(atMost: 10))
        #expect(try !DeadRing(path: folder.ring).header.hasNews)
        for _ in 0..<40 { mark(recorder, "more") }
        recorder.free(recorder.take(atMost: 100))
        // What was refused is news too.
        #expect(try DeadRing(path: folder.ring).header.hasNews)
    }

    @Test("No byte of a value is left in the file when its slots are free, wherever in the ring it was.")
    func wiped() throws {
        let folder = try Folder()
        let recorder = try folder.recorder(slots: 16)
        let value = Data("Ann of Green Gables".utf8)
        for number in 0..<40 {
            for _ in 0..<number % 4 { mark(recorder, "m") }
            let text = RecordedValue.text("Ann of Green Gables")
            recorder.recordSet(RecordHead(), key: recorder.name("who"), value: text, site: Site())
            #expect(try self.bytes(folder).range(of: value) != nil)
            let batch = recorder.take(atMost: .max)
            #expect(try self.bytes(folder).range(of: value) != nil)
            recorder.free(batch)
            #expect(try self.bytes(folder).range(of: value) == nil, "round \(number)")
        }
        let progress = try RingProgress(path: folder.ring)
        #expect(progress.claimed == progress.freed)
    }

    @Test("A process that died while it wiped what was committed leaves what was not, and nothing torn.")
    func halfWiped() throws {
        let folder = try Folder()
        let recorder = try folder.recorder()
        for number in 0..<6 { mark(recorder, "m\(number)") }
        let whole = try self.bytes(folder)
        let before = try RingProgress(path: folder.ring)
        recorder.free(recorder.take(atMost: 4))
        let after = try RingProgress(path: folder.ring)
        #expect(after.freed > before.freed && after.claimed == before.claimed)
        // The header as it was before the end of the wiping, the slots as they are at any moment of it.
        let wiped = try self.bytes(folder)
        let slots = whole.count - 64 * 64
        for done in 0...Int(after.freed) {
            var file = wiped
            file.replaceSubrange(slots + done * 64..<whole.count, with: whole[(slots + done * 64)...])
            withUnsafeBytes(of: before.freed) { file.replaceSubrange(192..<200, with: $0) }
            try file.write(to: URL(fileURLWithPath: folder.ring))
            let (events, torn) = try folder.events()
            #expect(events.map(\.seq) == [5, 6], "\(done) slots wiped")
            #expect(torn.isEmpty)
        }
    }

    @Test("Everything that was recorded and not freed is in the file, with its names, and who wrote it.")
    func whole() throws {
        let folder = try Folder()
        let recorder = try folder.recorder()
        for number in 0..<4 { mark(recorder, "m\(number)") }
        recorder.free(recorder.take(atMost: 1))
        _ = recorder.take(atMost: 1)
        let (events, torn) = try folder.events()
        #expect(events.map(\.seq) == [2, 3, 4])
        #expect(torn.isEmpty)
        guard case .mark(let name, let site)? = events.first?.body else {
            Issue.record("no mark")
            return
        }
        #expect(name == "m1")
        #expect(site.text.hasPrefix("ContrailRecorderTests/DeadRingTests.swift:"))
        let header = try DeadRing(path: folder.ring).header
        #expect(header.runUUID == "run")
        #expect(header.bootID == "boot")
        #expect(header.processID == ProcessInfo.processInfo.processIdentifier)
        #expect(header.anchorWall == 5)
        #expect(header.anchorMonotonic == 6)
    }

    @Test("What a full ring refused is counted in the file.")
    func drops() throws {
        let folder = try Folder()
        let recorder = try folder.recorder(slots: 4)
        for _ in 0..<6 { recorder.recordRecycle(RecordHead(epoch: 1), before: nil, variablesDropped: 0) }
        let ring = try DeadRing(path: folder.ring)
        #expect(ring.header.dropped == 2)
        #expect(ring.lastSeq == 6)
    }

    @Test("Opening a file that is no ring, or is cut, is an error that says so.")
    func noRing() throws {
        let folder = try Folder()
        #expect(throws: RingError.self) { try DeadRing(path: folder.ring) }
        try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: folder.ring))
        #expect { try DeadRing(path: folder.ring) } throws: { ($0 as? RingError)?.code == .notARing }
        try FileManager.default.removeItem(atPath: folder.ring)
        _ = try folder.recorder()
        let whole = try Data(contentsOf: URL(fileURLWithPath: folder.ring))
        for length in [0, 10, 4096, whole.count - 1] {
            try whole.prefix(length).write(to: URL(fileURLWithPath: folder.ring))
            #expect { try DeadRing(path: folder.ring) } throws: { ($0 as? RingError)?.code == .notARing }
        }
    }

    @Test("A file that is there is not written over, and a folder that is not there is an error.")
    func creation() throws {
        let folder = try Folder()
        _ = try folder.recorder()
        #expect { try folder.recorder() } throws: { ($0 as? RingError)?.code == .inaccessible }
        #expect(throws: RingError.self) {
            try RingMemory.create(RingLayout(slots: 4), at: folder.path + "/absent/ring")
        }
    }

    @Test("The file is its owner's alone, and every byte of it is allocated.")
    func file() throws {
        let folder = try Folder()
        _ = try folder.recorder(slots: 1024)
        var status = stat()
        #expect(stat(folder.ring, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(Int(status.st_blocks) * 512 >= Int(status.st_size))
    }

    @Test("Whatever bytes are damaged, reading ends, and what it gives is what was recorded.")
    func damaged() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("damaged ring: seed \(seed)")
        var generator = SeededRandom(seed: seed)
        let folder = try Folder()
        let recorder = try folder.recorder(slots: 128)
        for number in 0..<60 { mark(recorder, "mark \(number)") }
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.ring)))
        var lost = 0
        for round in 0..<400 {
            var bytes = whole
            // The header is damaged now and then; most damage is in names and records.
            for _ in 0..<Int.random(in: 1...40, using: &generator) {
                let start = round % 4 == 0 ? 20 : 4096
                bytes[Int.random(in: start..<bytes.count, using: &generator)] ^= UInt8.random(
                    in: 1...255,
                    using: &generator
                )
            }
            try Data(bytes).write(to: URL(fileURLWithPath: folder.ring))
            guard let read = try? folder.events() else { continue }
            for event in read.events {
                guard case .mark(let name, _) = event.body else {
                    Issue.record("an event that was never recorded: \(event)")
                    continue
                }
                #expect(name.text == "mark \(event.seq - 1)")
            }
            lost += 60 - min(60, read.events.count)
        }
        #expect(lost > 0)
    }

    @Test("A forked child records nothing, and the parent goes on.")
    func forked() throws {
        let folder = try Folder()
        let recorder = try folder.recorder()
        mark(recorder, "before")
        // Swift hides `fork`; the child does nothing but ask the level and leave.
        let symbol = try #require(dlsym(nil, "fork"))
        let fork = unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)
        let child = fork()
        if child == 0 { _exit(recorder.isRecording ? 1 : 0) }
        var status: CInt = -1
        #expect(waitpid(child, &status, 0) == child)
        #expect(status == 0)
        #expect(recorder.isRecording)
        mark(recorder, "after")
        #expect(try folder.events().events.count == 2)
    }
}
