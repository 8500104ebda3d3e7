// What a ring's file says about the process that writes it, for a run that no database knows yet.

/// The texts of a run's row. Each is cut to its share of the header.
package struct RingOwner: Sendable, Equatable {
    /// The most that one of them takes, in bytes.
    private static let limit = 512

    package let app: String
    package let version: String
    package let host: String
    package let executable: String

    package init(app: String, version: String, host: String, executable: String) {
        self.app = app
        self.version = version
        self.host = host
        self.executable = executable
    }

    init(_ memory: RingMemory) {
        let texts = (0..<4).map { index in
            let start = memory.base + RingLayout.Header.owner + index * Self.limit
            let bytes = UnsafeRawBufferPointer(start: start, count: Self.limit)
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        self.init(app: texts[0], version: texts[1], host: texts[2], executable: texts[3])
    }

    func write(to memory: RingMemory) {
        for (index, text) in [self.app, self.version, self.host, self.executable].enumerated() {
            let start = memory.base + RingLayout.Header.owner + index * Self.limit
            for (place, byte) in text.utf8.prefix(Self.limit - 1).enumerated() {
                start.storeBytes(of: byte, toByteOffset: place, as: UInt8.self)
            }
        }
    }
}
