// Reads the ring that an input describes, as recovery does.

internal import ContrailRecorder
internal import Foundation

/// What is tried with each input. One thread at a time.
///
/// @unchecked Sendable: constants, and a file that only one thread writes.
package final class RingBody: @unchecked Sendable {
    /// The one that a fuzzer uses.
    package static let shared = RingBody()

    /// The file that inputs are written to.
    package let path: String
    private let whole: [UInt8]

    /// Makes a file for the inputs.
    package init() {
        self.path =
            "\(NSTemporaryDirectory())/fuzzed-ring-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0 ... .max))"
        do {
            self.whole = try RingImage.whole(at: self.path)
        } catch {
            fatalError("no ring can be made at \(self.path): \(error)")
        }
    }

    deinit { unlink(self.path) }

    /// Writes the file. False when the system refuses.
    package func write(_ input: UnsafeRawBufferPointer) -> Bool {
        let image = RingImage(input, changing: self.whole)
        let descriptor = open(self.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return image.bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) } == image.bytes.count
    }

    /// Reads everything that is in the file. Stops the process when it does not end, or gives more than a ring can hold.
    @discardableResult
    package func run(_ input: UnsafeRawBufferPointer) -> (events: Int, torn: Int) {
        precondition(self.write(input), "the ring cannot be written")
        guard var ring = try? DeadRing(path: self.path) else { return (0, 0) }
        var (events, torn) = (0, 0)
        while let finding = ring.next() {
            switch finding {
            case .event: events += 1
            case .torn: torn += 1
            }
            precondition(events + torn <= RingImage.slots, "the ring gives more than it can hold")
        }
        return (events, torn)
    }
}
