// A database that cannot be used any more: it is kept, under another name.

private import Foundation

/// Sets a damaged database aside, with its log and what else belongs to it. Nothing is deleted.
enum DamagedTrail {
    /// What belongs to a database, by what is appended to its name. The database itself comes last: until it is moved, another
    /// start finds what it would have found before.
    private static let parts = ["-wal", "-shm", "-head", ""]

    /// Moves the file away. Returns its new name; nil when the path names another file by now, for another process was faster.
    /// The caller's connections to it must be closed afterwards and not before: closing the last one would write to it.
    static func setAside(_ path: String, _ damaged: FileIdentity, at microseconds: Int64) throws -> String? {
        let path = FileIdentity.realPath(of: path)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.failure(path)
        }
        defer { close(descriptor) }
        // The lock is on the file and not on its name: of several processes that find the damage one moves it.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw Self.failure(path) }
        guard FileIdentity(path: path) == damaged else { return nil }
        let name = Self.name(path, microseconds)
        for part in Self.parts where rename(path + part, name + part) != 0 && (errno != ENOENT || part.isEmpty) {
            throw Self.failure(path + part)
        }
        return name
    }

    /// Whether what lies at the path was a trail, as far as that can be told from a damaged file: it has the end of a chain
    /// beside it, or parts of the schema in it.
    static func isLikely(_ path: String) -> Bool {
        if access(ChainHead.path(of: path), F_OK) == 0 { return true }
        guard let file = FileHandle(forReadingAtPath: path), let bytes = try? file.read(upToCount: 1 << 18) else {
            return false
        }
        return bytes.range(of: Data("CREATE TABLE event".utf8)) != nil
    }

    /// `contrail.sqlite-damaged-20261121T130831Z`, with a number if there is one already.
    private static func name(_ path: String, _ microseconds: Int64) -> String {
        var seconds = time_t(microseconds / 1_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let numbers = [
            parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
        ]
        let digits = numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }
        let name = "\(path)-damaged-\(digits[0..<3].joined())T\(digits[3...].joined())Z"
        var candidate = name
        var number = 1
        while access(candidate, F_OK) == 0 {
            number += 1
            candidate = "\(name)-\(number)"
        }
        return candidate
    }

    private static func failure(_ path: String) -> SystemFailure {
        let number = errno
        return SystemFailure(
            number: number,
            message: "cannot move the damaged \(path) away: \(String(cString: strerror(number))); move it by hand"
        )
    }
}
