// What a child tells its parent while it lives, and what is left of that when it does not.

internal import Foundation
internal import Synchronization

/// A page that parent and child share through a file: the child's phase, what it has acknowledged, and its run.
///
/// @unchecked Sendable: a constant address of memory that is never unmapped; what lies there are atomics, but for the run's id,
/// which the child writes before it stores ``isReady`` and the parent reads after it.
struct SharedBoard: @unchecked Sendable {
    private static let size = 4096
    private static let uuidOffset = 2048
    /// How many threads may record.
    static let mostThreads = 16

    private let page: UnsafeMutableRawPointer

    /// Maps the file, which is made if it is not there.
    init(path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Broken("cannot open the board \(path): \(Broken.lastError)") }
        defer { close(descriptor) }
        guard ftruncate(descriptor, off_t(Self.size)) == 0 else {
            throw Broken("cannot size the board \(path): \(Broken.lastError)")
        }
        let mapped = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let mapped, mapped != MAP_FAILED else { throw Broken("cannot map the board: \(Broken.lastError)") }
        self.page = mapped
    }

    /// Forgets what the last child said.
    func clear() {
        memset(self.page, 0, Self.size)
    }

    /// The phase of the child, as `StorePhase` numbers them; 0 before its first.
    var phase: UnsafeMutablePointer<Atomic<UInt32>> { self.page.assumingMemoryBound(to: Atomic<UInt32>.self) }

    /// Whether the child records.
    var isReady: UnsafeMutablePointer<Atomic<UInt32>> {
        (self.page + 64).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    /// The last value whose call has returned, of each thread.
    func acknowledged(by thread: Int) -> UnsafeMutablePointer<Atomic<Int>> {
        (self.page + 128 + 64 * thread).assumingMemoryBound(to: Atomic<Int>.self)
    }

    /// The id of the child's run.
    var runUUID: String {
        get { String(cString: (self.page + Self.uuidOffset).assumingMemoryBound(to: CChar.self)) }
        nonmutating set {
            let bytes = Array(newValue.utf8.prefix(63)) + [0]
            for (index, byte) in bytes.enumerated() {
                self.page.storeBytes(of: byte, toByteOffset: Self.uuidOffset + index, as: UInt8.self)
            }
        }
    }
}

/// A promise that was broken, or a tool that does not work.
struct Broken: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    static var lastError: String { String(cString: strerror(errno)) }
}
