// Secrets of every kind, made up: none of them opens anything.

import ContrailRecorder

/// Makes up secrets and texts around them.
package struct SecretSamples {
    /// A text and the part of it that must not come out.
    package struct Sample {
        /// The pattern that finds it.
        package let pattern: String
        /// The secret with what belongs to it.
        package let text: String
        /// What must not come out.
        package let secret: String

        init(_ pattern: String, _ before: String, _ secret: String, _ after: String = "") {
            self.pattern = pattern
            self.text = before + secret + after
            self.secret = secret
        }
    }

    private var random: SeededRandom

    /// Begins with a seed.
    package init(seed: UInt64) {
        self.random = SeededRandom(seed: seed)
    }

    package mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self.random) }

    package mutating func pick<Element>(_ elements: [Element]) -> Element { elements[self.number(0..<elements.count)] }

    package mutating func letters(_ count: Int, of alphabet: String = Self.mixed) -> String {
        let alphabet = Array(alphabet)
        return String((0..<count).map { _ in self.pick(alphabet) })
    }

    package static let mixed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    /// A secret of every pattern and of every key prefix.
    package mutating func all() -> [Sample] {
        let prefixes = APIKeyPrefix.all.map { prefix in
            Sample("api_key", "\(prefix.text)", self.letters(prefix.least + self.number(0..<20)))
        }
        return prefixes + [
            self.token(), self.token(), Sample("name", "password=", self.letters(12)),
            Sample("name", "\"client_secret\": \"", self.letters(12), "\""),
            Sample("authorization", "Bearer ", self.letters(self.number(8..<40))),
            Sample("authorization", "basic ", self.base64("user:" + self.letters(9))),
            Sample("authorization", "Digest username=\"u\", response=\"", self.letters(32), "\"\n"),
            Sample("authorization", "Token ", "A" + self.letters(24) + "7"),
            self.card(), self.card(), self.card(), self.privateKey(),
            Sample("url_password", "postgres://user:", "x" + self.letters(12), "@db:5432/orders"),
        ]
    }

    package mutating func email() -> Sample {
        Sample("email_address", "", "\(self.letters(7)).\(self.letters(5))@\(self.letters(6)).example")
    }

    /// A JSON web token.
    package mutating func token() -> Sample {
        let headers = ["{\"alg\":\"HS256\"}", "{\"typ\":\"JWT\",\"alg\":\"none\"}", "{\"kid\":\"1\",\"alg\":\"A\"}"]
        let header = self.pick(headers)
        let parts = [header, "{\"sub\":\"\(self.letters(6))\"}"].map { self.base64($0) } + [self.letters(43)]
        return Sample("json_web_token", "", parts.joined(separator: "."))
    }

    package mutating func card() -> Sample {
        let count = self.number(13..<20)
        var digits = (0..<(count - 1)).map { _ in self.number(0..<10) }
        digits.append(0)
        let sum = digits.reversed().enumerated().reduce(0) { sum, place in
            let digit = place.offset % 2 == 0 ? place.element : place.element * 2
            return sum + digit / 10 + digit % 10
        }
        digits[count - 1] = (10 - sum % 10) % 10
        let separator = self.pick(["", " ", "-", "+"])
        let text = digits.enumerated().map { place in
            "\(place.element)" + (place.offset % 4 == 3 && place.offset + 1 < count ? separator : "")
        }
        return Sample("card_number", "", text.joined())
    }

    package mutating func privateKey() -> Sample {
        let label = self.pick(["", "RSA ", "EC ", "ENCRYPTED ", "OPENSSH "])
        let lines = (0..<4).map { _ in self.letters(64) } + [self.letters(20) + "=="]
        return Sample(
            "private_key",
            "-----BEGIN \(label)PRIVATE KEY-----\n",
            lines.joined(separator: "\n"),
            "\n-----END \(label)PRIVATE KEY-----"
        )
    }

    /// Words, digits and signs, none of which is part of a secret.
    package mutating func noise() -> String {
        let pieces = [
            " ", "\n", ", ", "=", ": ", "\"", "'", "&", ";", "{", "}", "(", "]", "é", "😀", "order", "at", "7", "12",
            "x=1", "/", ".", "-", "_", "the ", "of ", "http://h/",
        ]
        return (0..<self.number(0..<20)).map { _ in self.pick(pieces) }.joined()
    }

    /// Bytes that are no ASCII, and rarely UTF-8.
    package mutating func highBytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(self.number(0x80..<0x100)) }
    }

    package func base64(_ text: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var output = ""
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0...group.count { output.append(alphabet[bits >> (18 - 6 * place) & 63]) }
        }
        return output
    }
}

/// A run of six bytes of the secret that is in the text; nil when there is none.
package func leftover(of secret: String, in text: some Collection<UInt8>) -> String? {
    let secret = Array(secret.utf8)
    let text = Array(text)
    guard secret.count >= 6, text.count >= 6 else { return nil }
    var runs: Set<[UInt8]> = []
    for start in 0...(secret.count - 6) { runs.insert(Array(secret[start..<start + 6])) }
    for start in 0...(text.count - 6) where runs.contains(Array(text[start..<start + 6])) {
        return String(decoding: text[start..<start + 6], as: UTF8.self)
    }
    return nil
}
