// Where the ring of a run is put: in memory that outlives the process, if there is any.

internal import ContrailRecorder
private import Foundation
internal import Logging

/// Chooses the directory of a run's ring and makes it there.
///
/// The first of these that works is taken: the directory that the configuration names, the service's runtime directory
/// (`RUNTIME_DIRECTORY`, then `XDG_RUNTIME_DIR`), shared memory, the directory of the database. Where none works the ring is
/// memory of the process alone: recording goes on, and what a killed process had not committed is lost.
enum RingPlace {
    /// A ring, as a file if possible.
    static func make(
        _ layout: RingLayout,
        runUUID: String,
        clock: RunClock,
        owner: RingOwner,
        directory: String?,
        database: String,
        logger: Logger
    ) -> RingMemory {
        for (index, candidate) in self.candidates(directory, database: database).enumerated() {
            do {
                let memory = try RingMemory.create(layout, at: self.path(candidate, runUUID))
                memory.identify(
                    runUUID: runUUID,
                    bootID: self.bootID,
                    owner: owner,
                    wallMicroseconds: clock.startMicroseconds,
                    monotonicNanoseconds: clock.anchorNanoseconds
                )
                return memory
            } catch {
                // Only a place that was asked for is worth a word; the others are guesses.
                if index == 0, directory != nil {
                    logger.error(
                        "\(error.message); another place is tried: make the directory writable, or name another"
                    )
                }
            }
        }
        logger.error("no place for the ring of the run: what a killed process had not committed will be lost")
        return RingMemory.ofProcess(layout)
    }

    /// The ring of a run that did not come to say where it is, if it is in one of the places that need no configuration.
    static func find(runUUID: String, database: String) -> String? {
        self.candidates(nil, database: database).map { self.path($0, runUUID) }
            .first { FileManager.default.fileExists(atPath: $0) }
    }

    private static func path(_ directory: String, _ runUUID: String) -> String { "\(directory)/ring-\(runUUID)" }

    private static func candidates(_ directory: String?, database: String) -> [String] {
        let environment = ProcessInfo.processInfo.environment
        // systemd lists several directories with colons between them.
        let runtime = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first.map(String.init)
        let beside = URL(fileURLWithPath: database).deletingLastPathComponent().path
        // The run's file names the ring for whoever recovers it, from whatever directory.
        return [
            directory.map { URL(fileURLWithPath: $0).path }, runtime, environment["XDG_RUNTIME_DIR"], "/dev/shm",
            beside,
        ]
        .compactMap { $0 }
        .filter { !$0.isEmpty }
    }

    /// The id that the kernel gave this boot: monotonic times of another one mean nothing now.
    private static var bootID: String {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    }
}
