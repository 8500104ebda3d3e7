// Finds bytes in bytes in linear time, whatever the bytes are (Knuth, Morris and Pratt).

/// A needle, prepared for many searches.
struct TextSearch {
    private let needle: UnsafeBufferPointer<UInt8>
    /// For each prefix of the needle, the length of its longest proper border.
    private let borders: [Int32]

    /// Prepares a needle, which must not be empty and must outlive the search.
    init(for needle: UnsafeBufferPointer<UInt8>) {
        self.needle = needle
        var borders = [Int32](repeating: 0, count: needle.count)
        var length = 0
        for index in needle.indices.dropFirst() {
            while length > 0, needle[index] != needle[length] { length = Int(borders[length - 1]) }
            if needle[index] == needle[length] { length += 1 }
            borders[index] = Int32(length)
        }
        self.borders = borders
    }

    /// The offset of the first occurrence at or after a position.
    func first(in haystack: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> Int? {
        var matched = 0
        for index in start..<max(start, haystack.count) {
            let byte = haystack[index]
            while matched > 0, byte != self.needle[matched] { matched = Int(self.borders[matched - 1]) }
            if byte == self.needle[matched] { matched += 1 }
            if matched == self.needle.count { return index + 1 - matched }
        }
        return nil
    }
}
