// The text of a cookie: a version, a payload, the time, and a signature over these three.

internal import Crypto

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// `1.PAYLOAD.SECONDS.SIGNATURE`: the payload and the signature in base64url, the time in seconds since 1970.
struct SignedCookie {
    static let version = 1
    /// Longer texts are not looked at: no browser keeps them.
    static let maximumLength = 4096

    let payload: Data
    let signedAt: Int

    /// The text, signed.
    func text(_ key: SymmetricKey) -> String {
        let signed = "\(Self.version).\(Base64URL.encode(self.payload)).\(self.signedAt)"
        let signature = HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: key)
        return "\(signed).\(Base64URL.encode(Data(signature)))"
    }

    init(payload: Data, signedAt: Int) {
        self.payload = payload
        self.signedAt = signedAt
    }

    /// Reads a text that one of the keys has signed; `nil` for any other.
    init?(_ text: String, keys: [SymmetricKey]) {
        guard text.utf8.count <= Self.maximumLength else { return nil }
        let parts = Substring(text).utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4, let signature = Base64URL.decode(Substring(parts[3])) else { return nil }
        let signed = Data(text.utf8[..<parts[2].endIndex])
        // Compares in constant time; only what is signed is looked into.
        let isSigned = keys.contains { key in
            HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: signed, using: key)
        }
        guard isSigned, parts[0].elementsEqual("\(Self.version)".utf8) else { return nil }
        guard let payload = Base64URL.decode(Substring(parts[1])), let signedAt = Int(Substring(parts[2])) else {
            return nil
        }
        self.init(payload: payload, signedAt: signedAt)
    }
}
