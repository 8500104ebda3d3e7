// Which file a path names.

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// A file, whatever it is called: two are equal when they are the same.
struct FileIdentity: Equatable, Sendable {
    private let device: UInt64
    private let node: UInt64

    /// The file at a path; nil when there is none.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.device = UInt64(status.st_dev)
        self.node = UInt64(status.st_ino)
    }

    /// The path without symbolic links; itself when there is no file. One file has one such path, however it is spelled.
    static func realPath(of path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
