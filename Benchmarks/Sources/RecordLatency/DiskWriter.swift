// Another program that keeps the disk busy.

import ArgumentParser
import Foundation

/// Writes so many MB a second to a file, over and over, until it is ended.
struct DiskWriter: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Keep a disk busy.", shouldDisplay: false)

    private static let fileSize = 512 << 20
    private static let block = 1 << 20

    @Argument(help: "The file.")
    var path: String

    @Argument(help: "How many MB a second.")
    var megabytes: Int

    func run() throws {
        let descriptor = open(self.path, O_RDWR | O_CREAT, 0o600)
        guard descriptor >= 0 else { throw ValidationError("cannot create \(self.path)") }
        let data = [UInt8](repeating: 0x5A, count: Self.block)
        var written = 0
        let start = ContinuousClock.now
        // The program that began it may be killed: it does not outlive that.
        let parent = getppid()
        while getppid() == parent {
            let count = data.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress, $0.count, off_t(written % Self.fileSize))
            }
            guard count == Self.block else { throw ValidationError("cannot write \(self.path)") }
            written += count
            if written % (64 * Self.block) == 0 { fdatasync(descriptor) }
            let due = start + .nanoseconds(written * 1000 / self.megabytes)
            let early = (due - ContinuousClock.now) / .microseconds(1)
            if early > 0 { usleep(UInt32(early)) }
        }
    }
}
