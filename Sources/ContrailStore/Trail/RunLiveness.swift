// Whether the process that began a run is still there.

private import Synchronization

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// A locked file beside the database, one for each run that is alive: `contrail.sqlite-run-UUID`.
///
/// The lock is a record lock: the kernel releases it when the process dies however it dies, a forked child does not inherit
/// it, and it also works between containers, whose process ids do not compare. Record locks do not conflict within a
/// process, and closing any descriptor of the file would release them, so runs of this process are known by name instead.
final class RunLiveness: Sendable {
    private static let ownRuns = Mutex<Set<String>>([])

    private let path: String
    private let runUUID: String
    private let descriptor: CInt

    /// Takes the lock of a new run.
    init(database: String, runUUID: String) throws(StoreError) {
        self.path = Self.path(database, runUUID)
        self.runUUID = runUUID
        self.descriptor = open(self.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else {
            throw StoreError(
                .inaccessible,
                "cannot create \(self.path): \(String(cString: strerror(errno))); make the trail's directory writable"
            )
        }
        guard Self.lock(self.descriptor) else {
            close(self.descriptor)
            throw StoreError(.locked, "cannot lock \(self.path): use a file system with record locks for the trail")
        }
        Self.ownRuns.withLock { _ = $0.insert(runUUID) }
    }

    /// Ends the run: removes the file and releases the lock.
    func end() {
        guard Self.ownRuns.withLock({ $0.remove(self.runUUID) }) != nil else { return }
        unlink(self.path)
        close(self.descriptor)
    }

    /// Whether the run's process is alive. Removes the file of a dead one.
    static func isAlive(database: String, runUUID: String) -> Bool {
        let path = Self.path(database, runUUID)
        if self.ownRuns.withLock({ $0.contains(runUUID) }) { return true }
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        // Only a missing file proves that nobody holds it; a file that may not be opened may well be locked.
        guard descriptor >= 0 else { return errno != ENOENT }
        defer { close(descriptor) }
        guard self.lock(descriptor) else { return true }
        unlink(path)
        return false
    }

    private static func path(_ database: String, _ runUUID: String) -> String {
        "\(database)-run-\(runUUID)"
    }

    private static func lock(_ descriptor: CInt) -> Bool {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        return fcntl(descriptor, F_SETLK, &lock) == 0
    }
}
