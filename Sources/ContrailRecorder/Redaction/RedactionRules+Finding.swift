// All secrets of a text, in clear and behind escapes.

extension RedactionRules {
    /// Escapes inside escapes are looked through this many times.
    private static let mostSteps = 3

    /// Where secrets are, in order and apart from each other; none, without any allocation, for a clean text.
    func secrets(in bytes: UnsafeBufferPointer<UInt8>, isCut: Bool) -> [Range<Int>] {
        var scan = SecretScan(bytes, self, isCut: isCut)
        scan.run()
        guard scan.hasEscapes else { return scan.secrets }
        return Self.joined(scan.secrets + self.hiddenSecrets(in: bytes, isCut: isCut))
    }

    /// Whether there is any secret.
    func hasSecret(in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var scan = SecretScan(bytes, self, isCut: false)
        scan.run(stoppingAtFirst: true)
        if !scan.secrets.isEmpty { return true }
        return scan.hasEscapes && !self.hiddenSecrets(in: bytes, isCut: false).isEmpty
    }

    private func hiddenSecrets(in bytes: UnsafeBufferPointer<UInt8>, isCut: Bool) -> [Range<Int>] {
        var secrets: [Range<Int>] = []
        var text = EscapedText(bytes, origins: nil)
        for step in 1...Self.mostSteps {
            guard let decoded = text else { break }
            decoded.bytes.withUnsafeBufferPointer { bytes in
                var scan = SecretScan(bytes, self, isCut: isCut)
                scan.run()
                secrets += scan.secrets.map(decoded.original)
                let goesOn = scan.hasEscapes && step < Self.mostSteps
                text = goesOn ? EscapedText(bytes, origins: decoded.origins) : nil
            }
        }
        return secrets
    }

    private static func joined(_ secrets: [Range<Int>]) -> [Range<Int>] {
        guard secrets.count > 1 else { return secrets }
        var joined: [Range<Int>] = []
        for secret in secrets.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = joined.last, secret.lowerBound < last.upperBound {
                joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, secret.upperBound)
            } else {
                joined.append(secret)
            }
        }
        return joined
    }
}
