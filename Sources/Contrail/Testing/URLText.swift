// The parts of a URL or of a reference to one, without judging them.

/// The parts of a URL (RFC 3986): each as it was written, the fragment left out.
struct URLText {
    /// What stands before `://`; `nil` when nothing does.
    let scheme: String?
    /// The host, with its port; `nil` when the text is no more than a path.
    let authority: String?
    /// The path; may be empty.
    let path: String
    /// What stands behind the question mark; `nil` without one.
    let query: String?

    init(_ text: String) {
        var rest = text.utf8.prefix { $0 != UInt8(ascii: "#") }
        let scheme = rest.prefix(while: Self.isSchemeByte)
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        if let first = scheme.first, letters.contains(first | 0x20), rest[scheme.endIndex...].starts(with: "://".utf8) {
            self.scheme = Substring(scheme).lowercased()
            rest = rest[scheme.endIndex...].dropFirst()
        } else {
            self.scheme = nil
        }
        if rest.starts(with: "//".utf8) {
            rest = rest.dropFirst(2)
            let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
            self.authority = String(Substring(authority))
            rest = rest[authority.endIndex...]
        } else {
            self.authority = nil
        }
        let path = rest.prefix { $0 != UInt8(ascii: "?") }
        let query = rest[path.endIndex...]
        self.path = String(Substring(path))
        self.query = query.isEmpty ? nil : String(Substring(query.dropFirst()))
    }

    /// A path and query as a request line can have them: what is not visible ASCII is percent-encoded.
    static func target(path: String, query: String?) -> String {
        var target = path.utf8.first == UInt8(ascii: "/") ? path : "/" + path
        if let query { target += "?" + query }
        guard !target.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return target }
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in target.utf8 {
            if (0x21...0x7E).contains(byte) {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
