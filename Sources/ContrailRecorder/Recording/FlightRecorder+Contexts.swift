// Records of the life of a context.

extension FlightRecorder {
    /// What a request context was pushed for, as it is recorded: free of secrets but for the pattern of the route, which is redacted
    /// when it is recorded, and at most as long as it says.
    package struct RequestLine: Sendable {
        let method: String
        let path: String
        let endpoint: String?
        let requestID: String?
        let traceID: String?

        /// The method takes at most 32 bytes, the path without its query 192, the pattern of the route 192, the ids 128 each.
        package init(method: String, path: String, endpoint: String?, requestID: String?, traceID: String?) {
            self.method = method
            self.path = path
            self.endpoint = endpoint
            self.requestID = requestID
            self.traceID = traceID
        }

        /// What it takes at most, in bytes, with the lengths of its texts. Beyond 1 KiB its writer had to allocate.
        fileprivate var room: Int {
            let ids = min(self.requestID?.utf8.count ?? 0, 128) + min(self.traceID?.utf8.count ?? 0, 128)
            return min(self.method.utf8.count, 32) + min(self.path.utf8.count, 192) + ids + 4 * 2
        }
    }

    /// The name of an app in the words of one ring.
    package struct RecordedApp: Sendable, BitwiseCopyable {
        fileprivate let entry: RingEntry

        /// Of an app that nothing is recorded of.
        package static let unknown = RecordedApp(entry: .inline)
    }

    /// What is to be recorded of an app at each push of its contexts.
    package func app(_ name: String) -> RecordedApp { RecordedApp(entry: self.dictionary.entry(of: name)) }

    /// Records the push of an app context.
    ///
    /// - Parameters:
    ///   - known: What ``app(_:)`` gave for its app.
    ///   - name: The app's name, for when the dictionary has no room.
    ///   - depth: Which push of the lifetime it is, from 1.
    ///   - parent: The context it is pushed under.
    @inline(__always)
    package func recordAppPush(
        _ head: RecordHead,
        depth: Int,
        origin: TrailEvent.Push.Origin,
        app known: RecordedApp,
        named name: @autoclosure () -> String,
        parent: TrailEvent.ContextOrdinal?,
        site: Site
    ) {
        let place = self.dictionary.entry(of: site)
        let words = PushWords(app: known.entry, site: place, parent: parent ?? 0, depth: depth, origin: origin)
        if known.entry != .inline, place != .inline {
            self.put(.appPush, head, words.words)
        } else {
            let name = name()
            self.put(.appPush, head, words.words, room: 2 * RingDictionary.textLimit + 4) {
                $0.add(name, if: known.entry)
                $0.add(site, if: place)
            }
        }
    }

    /// Records the push of a request context.
    package func recordRequestPush(
        _ head: RecordHead,
        depth: Int,
        origin: TrailEvent.Push.Origin,
        app known: RecordedApp,
        named name: @autoclosure () -> String,
        parent: TrailEvent.ContextOrdinal?,
        site: Site,
        request: RequestLine
    ) {
        let app = known.entry
        let name = app == .inline ? name() : ""
        let place = self.dictionary.entry(of: site)
        let endpoint = request.endpoint.map { self.dictionary.entry(of: $0) { self.name($0).text } } ?? .none
        // The dictionary has it redacted already; only one that goes into the record itself is redacted each time.
        let pattern = endpoint == .inline ? request.endpoint.map { self.name($0).text } : request.endpoint
        var words = PushWords(app: app, site: place, parent: parent ?? 0, depth: depth, origin: origin)
        words.endpoint = endpoint
        words.hasRequestID = request.requestID != nil
        words.hasTraceID = request.traceID != nil
        let room =
            request.room + name.room(if: app) + site.room(if: place) + (pattern?.room(if: endpoint) ?? 0)
        self.put(.requestPush, head, words.words, room: room) {
            $0.add(name, if: app)
            $0.add(site, if: place)
            if let pattern { $0.add(pattern, if: endpoint) }
            $0.add(request.method, limit: 32)
            $0.add(request.path, limit: 192)
            if let id = request.requestID { $0.add(id, limit: 128) }
            if let id = request.traceID { $0.add(id, limit: 128) }
        }
    }

    /// Records the pop of an app context or of a request context.
    ///
    /// - Parameters:
    ///   - isRequest: Whether it is a request context's.
    ///   - remaining: How many pushes of the lifetime remain.
    ///   - error: The text of the error, redacted.
    ///   - duration: Nanoseconds since the first push.
    @inline(__always)
    package func recordPop(
        _ head: RecordHead,
        isRequest: Bool,
        remaining: Int,
        outcome: TrailEvent.Outcome,
        error: String?,
        duration: UInt64,
        site: Site
    ) {
        let kind = isRequest ? EventKind.requestPop : .appPop
        let place = self.dictionary.entry(of: site)
        let words = PopWords(
            site: place,
            remaining: remaining,
            outcome: outcome,
            hasError: error != nil,
            duration: duration
        )
        if error == nil, place != .inline {
            self.put(kind, head, words.words)
        } else {
            self.put(kind, head, words.words, room: 2 * RingDictionary.textLimit + 4) {
                $0.add(site, if: place)
                if let error { $0.add(error, limit: 256) }
            }
        }
    }
}

extension String {
    /// What a name takes in a record, in bytes, if its entry says that it follows.
    fileprivate func room(if entry: RingEntry) -> Int {
        entry == .inline ? min(self.utf8.count, RingDictionary.textLimit) + 2 : 0
    }
}

extension Site {
    fileprivate func room(if entry: RingEntry) -> Int { entry == .inline ? RingDictionary.textLimit + 2 : 0 }
}

extension RestWriter {
    /// Writes a place out if its entry says that it follows.
    mutating func add(_ site: Site, if entry: RingEntry) {
        if entry == .inline { self.add(site.description, limit: RingDictionary.textLimit) }
    }
}
