// A SHA-256, as the chain of batches handles it.

internal import Crypto
internal import Foundation

/// Thirty-two bytes.
struct Digest32: Hashable, Sendable {
    /// All zero: what the first batch of a trail follows.
    static let zero = Digest32()

    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init() {}

    /// The digest in the first 32 bytes, or nil when there are not as many.
    init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        withUnsafeMutableBytes(of: &self.words) { $0.copyBytes(from: bytes) }
    }

    init(_ digest: SHA256.Digest) {
        digest.withUnsafeBytes { source in
            withUnsafeMutableBytes(of: &self.words) { $0.copyMemory(from: source) }
        }
    }

    /// The bytes, in order.
    var data: Data { withUnsafeBytes(of: self.words) { Data($0) } }

    /// The bytes as 64 hexadecimal digits.
    var text: String { self.data.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    /// The first four bytes: enough to tell which row of a batch is not as it was.
    var tag: UInt32 { UInt32(truncatingIfNeeded: self.words.0) }

    static func == (left: Digest32, right: Digest32) -> Bool { left.words == right.words }

    func hash(into hasher: inout Hasher) { hasher.combine(self.words.0) }
}

extension SHA256 {
    /// The hash of bytes that lie together.
    static func hash(bytes: UnsafeRawBufferPointer) -> SHA256.Digest {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        return hash.finalize()
    }
}
