// From places in the source to entries of the dictionary, without making their text again.

private import Synchronization

/// Finds the entry of a place in the source by the address of its file's name and its line. Finding takes no lock.
///
/// @unchecked Sendable: places are written under the dictionary's lock or lost, and shown by a release store of the address.
final class SiteTable: @unchecked Sendable {
    private let addresses: UnsafeMutablePointer<Atomic<UInt>>
    /// The line above the 16 bits of the entry.
    private let values: UnsafeMutablePointer<Atomic<UInt64>>
    private let mask: Int
    private let count = Mutex(0)

    init(places: Int) {
        self.mask = places - 1
        self.addresses = .allocate(capacity: places)
        self.values = .allocate(capacity: places)
        for index in 0..<places {
            (self.addresses + index).initialize(to: Atomic(0))
            (self.values + index).initialize(to: Atomic(0))
        }
    }

    deinit {
        self.addresses.deinitialize(count: self.mask + 1)
        self.addresses.deallocate()
        self.values.deinitialize(count: self.mask + 1)
        self.values.deallocate()
    }

    @inline(__always)
    func entry(of site: Site) -> RingEntry? {
        guard site.fileID.hasPointerRepresentation else { return nil }
        let address = UInt(bitPattern: site.fileID.utf8Start)
        var place = self.place(address, site.line)
        while true {
            let found = self.addresses[place].load(ordering: .acquiring)
            if found == 0 { return nil }
            if found == address {
                let value = self.values[place].load(ordering: .relaxed)
                if value >> 16 == UInt64(site.line) { return RingEntry(rawValue: UInt16(truncatingIfNeeded: value)) }
            }
            place = (place + 1) & self.mask
        }
    }

    /// Keeps an entry. Does nothing when the table is three quarters full, which the dictionary is before it.
    func note(_ entry: RingEntry, of site: Site) {
        guard site.fileID.hasPointerRepresentation else { return }
        let address = UInt(bitPattern: site.fileID.utf8Start)
        self.count.withLock { count in
            guard count * 4 < self.mask * 3, self.entry(of: site) == nil else { return }
            var place = self.place(address, site.line)
            while self.addresses[place].load(ordering: .relaxed) != 0 { place = (place + 1) & self.mask }
            self.values[place].store(UInt64(site.line) << 16 | UInt64(entry.rawValue), ordering: .relaxed)
            self.addresses[place].store(address, ordering: .releasing)
            count += 1
        }
    }

    @inline(__always)
    private func place(_ address: UInt, _ line: UInt) -> Int {
        let hash = (UInt64(address) &+ UInt64(line) &* 0x9E37_79B9_7F4A_7C15) &* 0xC2B2_AE3D_27D4_EB4F
        return Int(truncatingIfNeeded: hash >> 40) & self.mask
    }
}
