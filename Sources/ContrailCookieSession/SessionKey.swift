// What cookies are signed with.

internal import Crypto

#if canImport(FoundationEssentials)
private import FoundationEssentials
#else
private import Foundation
#endif

/// A secret from which the keys for signing cookies are derived. It shows nothing of itself when it is printed.
public struct SessionKey: Sendable {
    /// How many bytes a secret has at least.
    public static let minimumLength = 16

    private let material: SymmetricKey

    /// Takes a secret of random bytes, such as 32 of `openssl rand`; throws ``CookieSessionError/Code/weakKey`` when it has
    /// fewer than sixteen.
    public init(
        _ secret: [UInt8],
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(CookieSessionError) {
        guard secret.count >= Self.minimumLength else {
            throw CookieSessionError(
                .weakKey,
                "a session key needs at least \(Self.minimumLength) random bytes, and this one has \(secret.count): "
                    + "make one with openssl rand -hex 32",
                fileID: fileID,
                line: line
            )
        }
        self.material = SymmetricKey(data: secret)
    }

    /// Takes the UTF-8 of a secret text, such as that of `openssl rand -hex 32`, as it is; throws
    /// ``CookieSessionError/Code/weakKey`` when it has fewer than sixteen bytes.
    public init(
        _ secret: String,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(CookieSessionError) {
        try self.init(Array(secret.utf8), fileID: fileID, line: line)
    }

    /// The key for the cookies of a name: a cookie of another name, format or purpose is not valid under it.
    func signingKey(forCookie name: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: self.material,
            salt: Data("contrail.cookie-session".utf8),
            info: Data("v\(SignedCookie.version) hmac-sha256 \(name)".utf8),
            outputByteCount: SHA256.byteCount
        )
    }
}

extension SessionKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `<SessionKey>`.
    public var description: String { "<SessionKey>" }

    /// `<SessionKey>`.
    public var debugDescription: String { self.description }

    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
