// Whether a trail's batches are chained, and under which key.

private import Crypto
internal import Foundation

extension TrailStore {
    /// Whether and how a trail can be held against what was written.
    public struct Integrity: Sendable {
        let isChained: Bool
        private let key: [UInt8]?

        /// Nothing is hashed: `contrail verify` can only compare the published names with the events.
        public static let off = Integrity(isChained: false, key: nil)
        /// Each batch is hashed together with the one before it. Shows what was changed by accident, or by somebody who did
        /// not recompute the chain.
        public static let chained = Integrity(isChained: true, key: nil)

        /// Each batch is hashed, and its root is signed with the key (HMAC-SHA-256): without the key nobody can recompute
        /// the chain. Use at least 32 random bytes.
        public static func keyed(_ key: [UInt8]) -> Integrity {
            Integrity(isChained: true, key: key)
        }

        private init(isChained: Bool, key: [UInt8]?) {
            self.isChained = isChained
            self.key = key
        }

        /// The signature of a root; nil without a key.
        func mac(of root: Digest32) -> Data? {
            guard let key else { return nil }
            return Data(HMAC<SHA256>.authenticationCode(for: root.data, using: SymmetricKey(data: key)))
        }
    }
}
