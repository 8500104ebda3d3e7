// Sessions in signed cookies: what comes back, what does not, and what is refused.

import Contrail
import ContrailCookieSession
import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@Suite("Sessions in cookies")
struct CookieSessionsTests {
    private let desk = CookieDesk()

    @Test("A session comes back from its cookie as it was saved.")
    func roundTrip() throws {
        let values: [String: SessionValue] = [
            "user": "u7", "n": 1, "d": 1.0, "x": 0.5, "none": nil, "list": [1, "é\u{0}\"", ["k": true]],
        ]
        let cookie = try self.desk.cookie(values)
        let session = self.desk.open(cookie)
        #expect(session.values == values)
        #expect(!session.isNew && !session.isNull && !session.isModified && !session.isAccessed)
    }

    @Test("Without a cookie, or with an empty one, the session is new and empty.")
    func missing() {
        for cookie in [nil, "", "other=1", "session", "session=", "session=\"\""] {
            let session = self.desk.open(cookie)
            #expect(session.isNew && !session.isNull && session.isEmpty, "\(cookie ?? "no cookie")")
        }
    }

    @Test("The cookie is signed text of four parts, and its payload can be read by anybody.")
    func format() throws {
        let cookie = try self.desk.cookie(["user": "u7"])
        let parts = cookie.dropFirst("session=".count).split(separator: ".")
        #expect(parts.count == 4)
        #expect(parts[0] == "1")
        #expect(parts[2] == "1800000000")
        #expect(parts[3].count == 43)
        let payload = try #require(
            Data(base64Encoded: parts[1] + String(repeating: "=", count: (4 - parts[1].count % 4) % 4))
        )
        #expect(String(decoding: payload, as: UTF8.self) == #"{"p":false,"v":{"user":"u7"}}"#)
    }

    @Test("The format is fixed: a cookie of an earlier build is still valid.")
    func fixedVector() throws {
        let cookie = try self.desk.cookie(["user": "u7"])
        // HKDF-SHA256 and HMAC-SHA256 of Python's standard library gave this text.
        #expect(cookie == "session=\(CookieDesk.vector)")
    }

    @Test("Every flip of a single bit of a cookie gives the null session.")
    func bitFlips() throws {
        let cookie = try self.desk.cookie(["user": "u7", "n": 12])
        let value = Array(cookie.dropFirst("session=".count).utf8)
        #expect(!self.desk.open("session=" + String(decoding: value, as: UTF8.self)).isNull)
        for index in value.indices {
            for bit in 0..<8 {
                // The eighth bit makes a character of two bytes.
                let text = String(
                    String.UnicodeScalarView(
                        value.enumerated().map { Unicode.Scalar($0.element ^ ($0.offset == index ? 1 << bit : 0)) }
                    )
                )
                let session = self.desk.open("session=" + text)
                #expect(session.isNull, "bit \(bit) of byte \(index)")
                #expect(session.isEmpty)
            }
        }
    }

    @Test("Every cookie that was cut off gives the null session.")
    func truncation() throws {
        let value = try self.desk.cookie(["user": "u7"]).dropFirst("session=".count)
        for length in 1..<value.count {
            #expect(self.desk.open("session=\(value.prefix(length))").isNull, "\(length) characters")
            #expect(self.desk.open("session=\(value.suffix(length))").isNull, "the last \(length) characters")
        }
    }

    @Test("Random changes of a cookie give the null session.")
    func mutations() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let first = Array(try self.desk.cookie(["user": "u7"]).dropFirst("session=".count))
        let second = Array(try self.desk.cookie(["user": "root", "n": 1]).dropFirst("session=".count))
        let alphabet = Array("AZaz09-_.=+/")
        for _ in 0..<3000 {
            var text = first
            switch Int.random(in: 0..<5, using: &random) {
            case 0: text[Int.random(in: text.indices, using: &random)] = alphabet.randomElement(using: &random)!
            case 1:
                text.insert(alphabet.randomElement(using: &random)!, at: Int.random(in: 0...text.count, using: &random))
            case 2: text.remove(at: Int.random(in: text.indices, using: &random))
            case 3:
                let cut = Int.random(in: 1..<min(first.count, second.count), using: &random)
                text = Array(first[..<cut] + second[cut...])
            default:
                text.swapAt(Int.random(in: text.indices, using: &random), Int.random(in: text.indices, using: &random))
            }
            guard text != first, text != second else { continue }
            #expect(self.desk.open("session=" + String(text)).isNull, "seed \(seed): \(String(text))")
        }
    }

    @Test("Parts of one valid cookie do not serve another.")
    func recombined() throws {
        let first = try self.desk.cookie(["user": "u7"]).dropFirst("session=".count).split(separator: ".")
        self.desk.clock.set(1_800_000_007)
        let second = try self.desk.cookie(["user": "root"]).dropFirst("session=".count).split(separator: ".")
        for bits in 1..<15 {
            let parts = (0..<4).map { bits >> $0 & 1 == 0 ? first[$0] : second[$0] }
            guard parts != first, parts != second else { continue }
            #expect(self.desk.open("session=" + parts.joined(separator: ".")).isNull, "combination \(bits)")
        }
    }

    @Test(
        "What is no cookie of ours gives the null session.",
        arguments: [
            "x", ".", "...", "1...", "1.e30.1800000000.", "1.e30.1800000000.AAAA", "2.e30.1.AAAA", "....", "%", "null",
            "eyJ1IjoxfQ.ZxYw.c2lnbmF0dXJl", String(repeating: "A", count: 5000), String(repeating: ".", count: 4000),
        ]
    )
    func foreign(value: String) {
        #expect(self.desk.open("session=" + value).isNull)
    }

    @Test("A cookie of another name, key or purpose is not valid.")
    func separation() throws {
        let value = try self.desk.cookie(["user": "u7"]).dropFirst("session=".count)
        let other = try CookieDesk(cookie: SessionCookie(name: "admin"))
        #expect(other.open("admin=\(value)").isNull)
        #expect(try CookieDesk(keys: ["another key of the service"]).open("session=\(value)").isNull)
    }

    @Test("An expired cookie gives a new session, not a null one.")
    func expiry() throws {
        let desk = try CookieDesk(lifetime: 60)
        let cookie = try desk.cookie(["n": 1])
        desk.clock.set(1_800_000_059)
        #expect(desk.open(cookie)["n"] == 1)
        desk.clock.set(1_800_000_060)
        let session = desk.open(cookie)
        #expect(session.isNew && session.isEmpty && !session.isNull)
    }

    @Test("A clock that is a little ahead elsewhere is tolerated, one that is far ahead is not.")
    func future() throws {
        let cookie = try self.desk.cookie(["n": 1])
        self.desk.clock.set(1_799_999_700)
        #expect(self.desk.open(cookie)["n"] == 1)
        self.desk.clock.set(1_799_999_699)
        #expect(self.desk.open(cookie).isNew)
    }

    @Test("No clock traps.", arguments: [0, -1e10, 1e18, 1e300, -1e300, Double.infinity, -.infinity, .nan])
    func clocks(seconds: Double) throws {
        let valid = try self.desk.cookie(["n": 1])
        self.desk.clock.set(seconds)
        #expect(self.desk.open(valid).isNew)
        let cookie = try self.desk.cookie(["n": 1])
        #expect(cookie.hasPrefix("session=1."))
        #expect(!self.desk.open(cookie).isNull)
    }

    @Test("The first key signs, all verify, and a key that was taken out does not.")
    func rotation() throws {
        let (old, new) = ("the key of last year", "the key of this year")
        let before = try CookieDesk(keys: [old])
        let during = try CookieDesk(keys: [new, old])
        let after = try CookieDesk(keys: [new])
        let oldCookie = try before.cookie(["n": 1])
        let newCookie = try during.cookie(["n": 2])
        #expect(during.open(oldCookie)["n"] == 1)
        #expect(during.open(newCookie)["n"] == 2)
        #expect(after.open(newCookie)["n"] == 2)
        #expect(after.open(oldCookie).isNull)
        #expect(before.open(newCookie).isNull)
    }

    @Test("A service that retires a key early can take unverified cookies for none.")
    func unverifiedAsNew() throws {
        let old = try CookieDesk(keys: ["the key of last year"]).cookie(["n": 1])
        let desk = try CookieDesk(keys: ["the key of this year"], unverified: .newSession)
        let session = desk.open(old)
        #expect(session.isNew && session.isEmpty && !session.isNull)
    }

    @Test("Of several cookies of the name, the first that is valid counts.")
    func severalCookies() throws {
        let cookie = try self.desk.cookie(["n": 1])
        #expect(self.desk.open("session=bad; \(cookie)")["n"] == 1)
        #expect(self.desk.open("\(cookie); session=bad")["n"] == 1)
    }

    @Test("An expired cookie does not stand before one that is valid, whatever their order.")
    func expiredAmongSeveral() throws {
        let desk = try CookieDesk(lifetime: 60)
        let old = try desk.cookie(["n": 1])
        desk.clock.set(1_800_000_060)
        let new = try desk.cookie(["n": 2])
        #expect(desk.open("\(old); \(new)")["n"] == 2)
        #expect(desk.open("\(new); \(old)")["n"] == 2)
        #expect(desk.open("session=bad; \(old)").isNew)
    }

    @Test("A value that is nested too deeply is refused with an error, however deep.", arguments: [300, 20_000])
    func tooDeep(depth: Int) throws {
        var value = SessionValue.null
        for level in 0..<depth { value = level.isMultiple(of: 2) ? .array([value]) : .object(["k": value]) }
        let session = self.desk.open(nil)
        try session.set("deep", value)
        let error = #expect(throws: CookieSessionError.self) { try self.desk.save(session) }
        #expect(error?.code == .notEncodable)
        try session.set("deep", .null)
        // What is thousands deep is taken apart one by one: releasing it goes down the stack as well.
        while true {
            switch value {
            case .array(let elements): value = elements[0]
            case .object(let members): value = members["k"] ?? .null
            default: return
            }
        }
    }

    @Test("A value of the greatest depth comes back as it was.")
    func deepest() throws {
        var value = SessionValue.int(1)
        for _ in 0..<(SessionValue.maximumDepth - 2) { value = .array([value]) }
        #expect(try self.desk.open(self.desk.cookie(["deep": value]))["deep"] == value)
    }

    @Test("SES-06: what is saved follows from content, change and permanence.")
    func saving() throws {
        #expect(try self.desk.save(App.Session(isNew: true)).isEmpty)
        #expect(try self.desk.save(App.Session(["n": 1])).isEmpty)
        let read = App.Session(["n": 1])
        _ = read["n"]
        #expect(try self.desk.save(read) == [.vary: "Cookie"])
        let emptied = App.Session(["n": 1])
        try emptied.clear()
        #expect(try self.desk.save(emptied)[.setCookie]?.hasPrefix("session=; Max-Age=0;") == true)
        let permanent = App.Session(["n": 1], isPermanent: true)
        let fields = try self.desk.save(permanent)
        #expect(fields[.setCookie]?.contains("; Max-Age=2678400;") == true)
        #expect(fields[.vary] == "Cookie")
        #expect(!permanent.isAccessed)
        let cookie = try #require(fields[.setCookie]).prefix { $0 != ";" }
        #expect(self.desk.open(String(cookie)).isPermanent)
    }

    @Test("SES-06: a permanent session is left alone when it is not refreshed by each request.")
    func notRefreshed() throws {
        let desk = try CookieDesk(refreshesEachRequest: false)
        #expect(try desk.save(App.Session(["n": 1], isPermanent: true)).isEmpty)
    }

    @Test("A session that does not fit is an error that says so, and nothing is written.")
    func tooLarge() throws {
        var fits = 0
        var tooLarge = Int.max
        for length in stride(from: 2900, to: 3100, by: 1) {
            let session = App.Session()
            try session.set("text", .string(String(repeating: "x", count: length)))
            var fields = HTTPFields()
            do {
                try self.desk.sessions.saveSession(session, self.desk.context(), into: &fields)
                fits = length
                let line = try #require(fields[.setCookie])
                #expect(line.utf8.count <= CookieSessions.maximumCookieLength)
                #expect(self.desk.open(String(line.prefix { $0 != ";" }))["text"]?.stringValue?.count == length)
            } catch let error as CookieSessionError {
                #expect(error.code == .tooLarge)
                #expect(error.message.contains("4093") && !error.message.contains("xxx"))
                #expect(fields.isEmpty)
                tooLarge = min(tooLarge, length)
            }
        }
        // All lengths up to one fit, and none beyond it.
        #expect((2900..<3099).contains(fits) && tooLarge == fits + 1)
    }
}

@Suite("Keys of sessions in cookies")
struct SessionKeyTests {
    @Test("An empty or short key is refused.", arguments: [0, 1, 15])
    func weak(length: Int) {
        let line = #line + 1
        let error = #expect(throws: CookieSessionError.self) {
            try SessionKey([UInt8](repeating: 7, count: length))
        }
        #expect(error?.code == .weakKey)
        #expect(error?.line == line)
        #expect(throws: CookieSessionError.self) { try SessionKey(String(repeating: "k", count: length)) }
    }

    @Test("A key of sixteen bytes is taken.")
    func shortest() throws {
        _ = try SessionKey([UInt8](repeating: 7, count: 16))
        _ = try SessionKey("sixteen bytes ok")
    }

    @Test("A store without a key is refused.")
    func none() {
        let error = #expect(throws: CookieSessionError.self) { try CookieSessions(keys: []) }
        #expect(error?.code == .noKey)
    }

    @Test("Nothing that is printed shows a key.")
    func printed() throws {
        let secret = "correct horse battery staple"
        let key = try SessionKey(secret)
        let sessions = try CookieSessions(keys: [key, key])
        var dumped = ""
        dump(key, to: &dumped)
        dump(sessions, to: &dumped)
        let text = "\(key) \(String(reflecting: key)) \(sessions) \(String(reflecting: sessions)) \(dumped)"
        #expect(text.contains("<SessionKey>"))
        #expect(!text.contains("horse") && !text.contains("SymmetricKey") && !text.contains("bits"))
        #expect(!text.contains("\(Array(secret.utf8).prefix(3).map(String.init).joined(separator: ", "))"))
    }
}
