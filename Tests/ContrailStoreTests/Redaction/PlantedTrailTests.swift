// Secrets planted in every field that a trail has: none of them is in any of its files, nor in what was logged.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import TestSupport
import Testing

@Suite("Secrets planted in a trail")
struct PlantedTrailTests {
    /// A secret, and where it was planted.
    private struct Planted {
        let field: String
        let pattern: String
        let secret: String
    }

    /// How many samples each field gets.
    private static let samplesOfEach = 6

    @Test(
        "Two hundred secrets in all fields are in no file while the trail is written, nor afterwards, nor in the log."
    )
    func secrets() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("secrets planted in a trail, seed \(seed)")
        let directory = try TemporaryTrail()
        let log = LineLog()
        let trail = try directory.open {
            $0.recorder = .init(level: .replay, capacity: 1 << 18)
            $0.durability = .group(.seconds(3600))
            $0.ringDirectory = directory.directory
            $0.logger = log.logger
        }
        let beds = PlantBeds(recorder: trail.recorder, logger: log.logger)
        let planted = try await self.plant(beds, seed: seed)
        #expect(planted.count >= 200)
        let markers = beds.fields.map(\.marker)

        // The drain waits to be asked, and the ring has room for all: it still holds everything.
        let live = try Remains(of: directory, logged: log.lines)
        await trail.flush()
        let flushed = try Remains(of: directory, logged: log.lines)
        #expect(flushed.files.contains { $0.hasPrefix("ring-") } && flushed.files.contains("contrail.sqlite-wal"))
        trail.close()
        let closed = try Remains(of: directory, logged: log.lines)

        let needles = planted.map { Remains.Needle($0.secret, isNumber: $0.pattern == "card_number") }
        for (moment, remains) in [("live", live), ("flushed", flushed), ("closed", closed)] {
            for (index, place) in remains.places(of: needles) {
                let secret = planted[index]
                Issue.record(
                    "seed \(seed), \(moment): a \(secret.pattern) in \(secret.field) is in \(place): \(secret.secret)"
                )
            }
        }
        // Each field is recorded: what is no secret there is found, by the same search.
        let open = markers.map { Remains.Needle(whole: $0) }
        let found = Set(closed.places(of: open).map(\.index))
        for (index, field) in beds.fields.enumerated() where field.isRecorded != found.contains(index) {
            Issue.record("\(field.name): recorded is \(field.isRecorded), the marker \(field.marker) says otherwise")
        }
        let inRing = live.places(of: open).filter { $0.place.hasPrefix("ring-") }
        #expect(Set(inRing.map(\.index)).count > 10)
        #expect(log.count("open-log") > 0)
    }

    private func plant(_ beds: PlantBeds, seed: UInt64) async throws -> [Planted] {
        var samples = SecretSamples(seed: seed)
        var waiting: [SecretSamples.Sample] = []
        var planted: [Planted] = []
        for field in beds.fields {
            await beds.plant(field.marker, in: field, under: "note")
            switch field.holds {
            case .text, .line:
                for _ in 0..<Self.samplesOfEach {
                    var sample: SecretSamples.Sample
                    repeat {
                        if waiting.isEmpty { waiting = samples.all() }
                        sample = waiting.removeLast()
                    } while field.holds == .line && sample.text.contains("\n")
                    await beds.plant(sample.text, in: field, under: "note")
                    planted.append(Planted(field: field.name, pattern: sample.pattern, secret: sample.secret))
                }
            case .named:
                for name in ["password", "api_key", "clientSecret", "session-id", "card_pin", "X-Auth-Token"] {
                    let secret = samples.letters(18)
                    await beds.plant(secret, in: field, under: name)
                    planted.append(Planted(field: field.name, pattern: name, secret: secret))
                }
            case .wrapped:
                for _ in 0..<Self.samplesOfEach {
                    let secret = samples.letters(18)
                    await beds.plant(secret, in: field, under: "secret note")
                    planted.append(Planted(field: field.name, pattern: "Secret", secret: secret))
                }
            }
        }
        return planted
    }

    @Test("The search finds a text in the clear, behind percent signs, in JSON escapes and in base64.")
    func search() throws {
        let directory = try TemporaryTrail()
        let text = "Xy7Kq2Lm9Pz4Rt6W"
        let percent = text.utf8.map { "%" + String($0, radix: 16) }.joined()
        let unicode = text.utf8.map { "\\u00" + String($0, radix: 16) }.joined()
        let forms = [
            text, percent, unicode, Data(text.utf8).base64EncodedString(), Data("a\(text)".utf8).base64EncodedString(),
            Data("ab\(text)".utf8).base64EncodedString(), String(text.dropFirst(5)),
        ]
        for form in forms {
            let remains = try Remains(of: directory, logged: ["before \(form) behind"])
            #expect(remains.places(of: [Remains.Needle(text)]).map(\.place) == ["the log"], "\(form)")
        }
        #expect(try Remains(of: directory, logged: ["Xy7Kq2"]).places(of: [Remains.Needle(text)]).isEmpty)
    }
}
