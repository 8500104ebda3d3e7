// Why nothing can be stored.

internal import ContrailRecorder
internal import GRDB

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

extension TrailStore {
    /// Why nothing can be stored at the moment. The recorder goes on; what does not fit the ring is dropped with a count.
    public struct Degradation: Hashable, Sendable, CustomStringConvertible {
        /// The name, as the status, metrics and `drop` events show it. Stable.
        public let description: String

        /// The disk is full.
        public static let diskFull = Degradation(description: "disk_full")
        /// A quota, or the process's limit on the size of files.
        public static let quota = Degradation(description: "quota")
        /// The file, its directory or its file system may not be written, or is gone.
        public static let readOnly = Degradation(description: "read_only")
        /// Another process holds the write lock.
        public static let locked = Degradation(description: "locked")
        /// The database is damaged. It is set aside, and a new one is begun.
        public static let corrupt = Degradation(description: "corrupt")
        /// The trail has reached its cap, and nothing more of it can be dropped.
        public static let overCap = Degradation(description: "over_cap")
        /// SQLite reports any other failure.
        public static let failing = Degradation(description: "failing")

        /// All that there are.
        public static let all: [Degradation] = [.diskFull, .quota, .readOnly, .locked, .overCap, .corrupt, .failing]

        private init(description: String) {
            self.description = description
        }

        /// What events that are dropped meanwhile are dropped for.
        var cause: TrailEvent.Drop.Cause { TrailEvent.Drop.Cause(self.description) }
    }
}

extension TrailStore.Degradation {
    /// What a failed attempt to open or to write the trail amounts to.
    init(_ error: any Error) {
        self =
            switch error {
            case let failure as StorageFailure: Self(failure.error, number: failure.number)
            case let failure as SystemFailure: Self.named(failure.number) ?? .failing
            default: Self(error, number: 0)
            }
    }

    private init(_ error: any Error, number: CInt) {
        self =
            switch error {
            case is OverCap: .overCap
            case let error as DatabaseError: Self(error, number: number)
            case let error as StoreError where error.code == .locked: .locked
            case let error as StoreError where error.code == .inaccessible: .readOnly
            case let error as StoreError where [.notADatabase, .damaged].contains(error.code): .corrupt
            case let failure as SystemFailure: Self.named(failure.number) ?? .failing
            default: .failing
            }
    }

    private init(_ error: DatabaseError, number: CInt) {
        self =
            switch error.resultCode {
            case .SQLITE_FULL: .diskFull
            case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH: .readOnly
            case .SQLITE_CANTOPEN: Self.named(number) ?? .readOnly
            case .SQLITE_BUSY, .SQLITE_LOCKED: .locked
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
            case .SQLITE_IOERR: Self.named(number) ?? Self.ofInput(error.extendedResultCode)
            default: .failing
            }
    }

    /// The index of the log grows on a full disk with an error of its own, which keeps no number.
    private static func ofInput(_ code: ResultCode) -> Self { code == .SQLITE_IOERR_SHMSIZE ? .diskFull : .failing }

    /// What a number of the system says; nil when it says nothing of that kind.
    private static func named(_ number: CInt) -> Self? {
        switch number {
        case ENOSPC: .diskFull
        case EDQUOT, EFBIG: .quota
        case EROFS, EACCES, EPERM, ENOENT, ENOTDIR: .readOnly
        default: nil
        }
    }

    /// Whether a service may begin with it, to wait until it goes away: nobody has to be told what to do.
    var mayPass: Bool { [.diskFull, .quota, .locked].contains(self) }
}
