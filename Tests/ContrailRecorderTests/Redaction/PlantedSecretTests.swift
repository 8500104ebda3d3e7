// Secrets of every kind at random places in random text: nothing of them comes out.

import ContrailRecorder
import TestSupport
import Testing

@Suite("Planted secrets")
struct PlantedSecretTests {
    private let policy = RedactionPolicy(patterns: RedactionPolicy.Pattern.all)
    private let seed = UInt64.random(in: .min ... .max)

    @Test("No six bytes of a secret stay in a text, wherever it stands and however the text is cut.", arguments: 0..<20)
    func text(round: UInt64) {
        let seed = self.seed &+ round
        print("planted secrets in text, seed \(seed)")
        var samples = SecretSamples(seed: seed)
        for sample in samples.all() + [samples.email()] {
            let edges = (samples.pick([" ", "\n", "(", "\t"]), samples.pick([" ", "\n", ")"]))
            let text = samples.noise() + edges.0 + sample.text + edges.1 + samples.noise()
            for limit in [1 << 20, 256, 0, 1, samples.number(0..<text.utf8.count)] {
                let redacted = self.policy.redacted(text, limit: limit)
                let left = leftover(of: sample.secret, in: redacted.utf8)
                #expect(left == nil, "seed \(seed), \(sample.pattern), limit \(limit): \(text) → \(redacted)")
                #expect(redacted.utf8.count <= limit)
            }
        }
    }

    @Test("No six bytes of a secret stay behind percent signs and backslashes.", arguments: 0..<10)
    func escaped(round: UInt64) {
        let seed = self.seed &+ round
        print("planted secrets behind escapes, seed \(seed)")
        var samples = SecretSamples(seed: seed)
        for sample in samples.all() + [samples.email()] {
            let text = samples.pick(["", "note ", "order 7: "]) + sample.text
            let escapes = [self.percent(text), self.percent(self.percent(text)), self.json(text), self.unicode(text)]
            for escaped in escapes {
                let redacted = self.policy.redacted(escaped, limit: 1 << 20)
                #expect(
                    leftover(of: sample.secret, in: self.clear(redacted).utf8) == nil,
                    "seed \(seed), \(sample.pattern): \(escaped) → \(redacted)"
                )
            }
        }
    }

    @Test("The first bytes of a body that was cut inside a secret keep no six bytes of it.", arguments: 0..<20)
    func cutBody(round: UInt64) {
        let seed = self.seed &+ round
        print("planted secrets in cut bodies, seed \(seed)")
        var samples = SecretSamples(seed: seed)
        for sample in samples.all() {
            let before = samples.noise() + " "
            let whole = Array((before + sample.text).utf8)
            let cut = samples.number(before.utf8.count..<whole.count)
            let redacted = self.policy.redacted(body: whole[..<cut], isCut: true)
            #expect(
                leftover(of: sample.secret, in: redacted) == nil,
                "seed \(seed), \(sample.pattern): \(String(decoding: whole[..<cut], as: UTF8.self))"
            )
        }
    }

    @Test("What is between secrets in a body stays byte for byte, no UTF-8 included.")
    func invalidText() {
        print("bodies that are no text, seed \(self.seed)")
        var samples = SecretSamples(seed: self.seed)
        for _ in 0..<20 {
            for sample in samples.all() {
                let noise = (0..<2).map { _ in samples.highBytes(samples.number(0..<40)) }
                let body = noise[0] + Array(" \(sample.text) ".utf8) + noise[1]
                let redacted = self.policy.redacted(body: body)
                #expect(leftover(of: sample.secret, in: redacted) == nil, "seed \(self.seed), \(sample.pattern)")
                #expect(redacted.starts(with: noise[0]), "seed \(self.seed), \(sample.pattern)")
            }
            let noise = samples.highBytes(200)
            #expect(self.policy.redacted(body: noise) == noise)
        }
    }

    // MARK: - Escapes

    private func percent(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = Unicode.Scalar(byte).properties.isAlphabetic && byte < 0x80
            let digits = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(decoding: [byte], as: UTF8.self) : "%" + (digits.count == 1 ? "0" : "") + digits
        }.joined()
    }

    private func json(_ text: String) -> String {
        text.reduce(into: "") { output, character in
            switch character {
            case "\n": output += "\\n"
            case "\"", "\\", "/": output += "\\\(character)"
            default: output.append(character)
            }
        }
    }

    private func unicode(_ text: String) -> String {
        text.utf8.map { byte in
            let digits = String(byte, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }

    /// The text with its escapes undone as far as they go, by means of this test.
    private func clear(_ text: String) -> String {
        var clear = text
        for _ in 0..<3 {
            var output: [UInt8] = []
            let bytes = Array(clear.utf8)
            var index = 0
            while index < bytes.count {
                let rest = bytes[(index + 1)...]
                if bytes[index] == UInt8(ascii: "%"), rest.count >= 2,
                    let byte = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                {
                    output.append(byte)
                    index += 3
                } else if bytes[index] == UInt8(ascii: "\\"), rest.count >= 5, rest.first == UInt8(ascii: "u"),
                    let byte = UInt8(String(decoding: rest.dropFirst().prefix(4), as: UTF8.self), radix: 16)
                {
                    output.append(byte)
                    index += 6
                } else {
                    output.append(bytes[index])
                    index += 1
                }
            }
            clear = String(decoding: output, as: UTF8.self)
        }
        return clear.replacing("\\n", with: "\n").replacing("\\", with: "")
    }
}
