// How a trail is opened when a service begins: what is wrong for good is refused, what may pass is waited for.

internal import ContrailRecorder
internal import Logging

/// What opening a trail for the first time came to.
struct TrailStart {
    /// The open trail; nil when the drain must try again.
    private(set) var trail: OpenTrail?
    /// Why there is none.
    private(set) var failure: (any Error)?
    /// The new name of a damaged file that was in the place.
    private(set) var setAside: String?

    /// Opens the trail. A full disk and a lock are waited for by the drain; a damaged trail is set aside. Throws what somebody
    /// has to do something about.
    init(path: String, run: TrailRun, configuration: TrailStore.Configuration) throws(StoreError) {
        do {
            try self.open(path, run, configuration)
        } catch {
            guard Degradation(error).mayPass else {
                run.abandon()
                throw StoreError(error, path: path)
            }
            self.failure = error
            // Killed before there is a database, the process leaves all that it recorded in its ring.
            run.announce()
        }
    }

    private typealias Degradation = TrailStore.Degradation

    private mutating func open(_ path: String, _ run: TrailRun, _ configuration: TrailStore.Configuration) throws {
        let patience = configuration.patience.opening
        do {
            self.trail = try OpenTrail(path: path, run: run, lockPatience: patience)
        } catch {
            guard Degradation(error) == .corrupt, let damaged = FileIdentity(path: path), DamagedTrail.isLikely(path)
            else { throw error }
            if let name = try DamagedTrail.setAside(path, damaged, at: RunClock.wallMicroseconds()) {
                self.setAside = name
                configuration.logger.error("the trail \(path) is damaged: it is \(name) now, and a new one is begun")
            }
            self.trail = try OpenTrail(path: path, run: run, lockPatience: patience)
        }
    }
}
