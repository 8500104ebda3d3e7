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
    /// The rings of this process's runs, whose files must not be opened to look.
    private static let ownRings = Mutex<[String: String]>([:])

    private let path: String
    private let runUUID: String
    private let ringPath: String?
    private let descriptor: CInt

    /// Takes the lock of a new run.
    ///
    /// - Parameter ringPath: The file of the run's ring.
    init(database: String, runUUID: String, ringPath: String?) throws {
        self.path = Self.path(database, runUUID)
        self.runUUID = runUUID
        self.ringPath = ringPath
        // Known before it is there: nobody in this process may open the file, for closing it would release the lock.
        Self.ownRuns.withLock { _ = $0.insert(runUUID) }
        self.descriptor = open(self.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else {
            let number = errno
            Self.ownRuns.withLock { _ = $0.remove(runUUID) }
            throw SystemFailure(
                number: number,
                message:
                    "cannot create \(self.path): \(String(cString: strerror(number))); make the trail's directory writable"
            )
        }
        guard Self.lock(self.descriptor) else {
            close(self.descriptor)
            Self.ownRuns.withLock { _ = $0.remove(runUUID) }
            throw StoreError(.locked, "cannot lock \(self.path): use a file system with record locks for the trail")
        }
        Self.ownRings.withLock { $0[runUUID] = ringPath }
    }

    /// Writes where the run's ring is: whoever finds the run dead will look there. Throws on a full disk; it can be called again.
    func nameRing() throws {
        guard let ringPath else { return }
        let count = ringPath.utf8.count
        guard ringPath.withCString({ pwrite(self.descriptor, $0, count, 0) == count }) else {
            let number = errno
            throw SystemFailure(
                number: number,
                message: "cannot write \(self.path): \(String(cString: strerror(number)))"
            )
        }
    }

    /// Ends the run: removes the file and releases the lock.
    func end() {
        guard Self.ownRuns.withLock({ $0.contains(self.runUUID) }) else { return }
        unlink(self.path)
        close(self.descriptor)
        Self.ownRings.withLock { _ = $0.removeValue(forKey: self.runUUID) }
        Self.ownRuns.withLock { _ = $0.remove(self.runUUID) }
    }

    /// Whether the run's process is alive.
    static func isAlive(database: String, runUUID: String) -> Bool {
        if self.ownRuns.withLock({ $0.contains(runUUID) }) { return true }
        let descriptor = open(Self.path(database, runUUID), O_RDWR | O_CLOEXEC)
        // Only a missing file proves that nobody holds it; a file that may not be opened may well be locked.
        guard descriptor >= 0 else { return errno != ENOENT }
        defer { close(descriptor) }
        return self.isLocked(descriptor)
    }

    /// What a dead run left beside the database.
    struct Remains {
        let runUUID: String
        /// The file of its ring, if it had one and it is still there.
        let ringPath: String?
        /// The file that its process had locked.
        let path: String
        /// Whether nobody is about to lock it: it says what only who has the lock writes, or was made more than a minute ago.
        let isLeft: Bool
    }

    /// The files of the rings of all runs, alive or dead, as far as they are there.
    static func ringPaths(database: String) -> [String] {
        self.files(of: database).compactMap { path, uuid in
            if self.ownRuns.withLock({ $0.contains(uuid) }) { return self.ownRings.withLock { $0[uuid] } }
            return self.text(of: path)
        }
    }

    /// The files of runs beside the database, with the runs' ids.
    private static func files(of database: String) -> [(path: String, runUUID: String)] {
        let prefix = self.path(database, "")
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(self.literal(prefix) + "*", 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { index in
            guard let start = found.gl_pathv[index] else { return nil }
            let path = String(cString: start)
            return (path, String(path.dropFirst(prefix.count)))
        }
    }

    /// What dead runs left beside the database.
    static func dead(database: String) -> [Remains] {
        self.files(of: database).compactMap { path, uuid in
            guard !self.isAlive(database: database, runUUID: uuid) else { return nil }
            let text = self.text(of: path)
            let named = text.map { access($0, F_OK) == 0 ? $0 : nil }
            let ring = named ?? RingPlace.find(runUUID: uuid, database: database)
            return Remains(runUUID: uuid, ringPath: ring, path: path, isLeft: text != nil || self.isOld(path))
        }
    }

    private static func isOld(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        return time(nil) - status.st_mtim.tv_sec > 60
    }

    /// Removes a file that ``dead(database:)`` named, or the ring it spoke of.
    static func remove(_ file: String) { unlink(file) }

    /// The path as a pattern that matches nothing else.
    private static func literal(_ path: String) -> String {
        path.reduce(into: "") { pattern, character in
            if "*?[\\".contains(character) { pattern.append("\\") }
            pattern.append(character)
        }
    }

    /// The text of a small file.
    private static func text(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
        }
    }

    private static func path(_ database: String, _ runUUID: String) -> String {
        "\(FileIdentity.realPath(of: database))-run-\(runUUID)"
    }

    /// A lock of the whole file for writing.
    private static var wholeFile: flock {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        return lock
    }

    private static func lock(_ descriptor: CInt) -> Bool {
        var lock = self.wholeFile
        return fcntl(descriptor, F_SETLK, &lock) == 0
    }

    /// Whether another process holds the lock. Asking takes nothing: who takes the lock in this moment gets it.
    private static func isLocked(_ descriptor: CInt) -> Bool {
        var lock = self.wholeFile
        guard fcntl(descriptor, F_GETLK, &lock) == 0 else { return true }
        return lock.l_type != Int16(F_UNLCK)
    }
}
