// Records of what a replay needs.

extension FlightRecorder {
    /// How much JSON one record of this ring takes, in bytes: no record may take more than a quarter of the ring, and its length
    /// counts in 16 bits.
    package var mostJSON: Int { min(60 * 1024, max(self.capacity / 4, 8) * RingLayout.slotSize) - 2 }

    /// Records a request as it came in, or a part of it. The JSON is free of secrets and at most ``mostJSON`` bytes long.
    package func recordInput(_ head: RecordHead, json: String) {
        self.recordJSON(.requestInput, head, json)
    }

    /// Records a response as it went out, or a part of it. The JSON is free of secrets and at most ``mostJSON`` bytes long.
    package func recordOutput(_ head: RecordHead, json: String) {
        self.recordJSON(.responseOutput, head, json)
    }

    private func recordJSON(_ kind: EventKind, _ head: RecordHead, _ json: String) {
        let count = json.utf8.count
        self.put(kind, head, NamedWords().words, room: count + 2) { $0.add(json, limit: count) }
    }

    /// Records a value that was drawn through a context. It is redacted; its text takes 16 KiB at the most.
    package func recordDrawn(_ head: RecordHead, name: RecordedName, type: String, value: RecordedValue) {
        let limit = min(PayloadBudget.mostBytes, self.mostJSON)
        let words = NamedWords(name: name.entry, small: UInt32(value.tag), number: value.number).words
        let room = 2 * RingDictionary.textLimit + 6 + min(value.text?.utf8.count ?? 0, limit)
        self.put(.drawn, head, words, room: room) {
            $0.add(name.text, if: name.entry)
            $0.add(type, limit: RingDictionary.textLimit)
            if let text = value.text { $0.add(text, limit: limit) }
        }
    }
}
