// The trail that a measurement writes.

import ContrailStore
import Foundation

/// A trail without limits in a folder of its own.
struct MeasuredTrail {
    let folder: URL
    let path: String
    let store: TrailStore

    /// Makes it in a folder under the place; by default the one for temporary files.
    init(in place: String? = nil) throws {
        let place = place.map { URL(fileURLWithPath: $0) } ?? FileManager.default.temporaryDirectory
        self.folder = place.appendingPathComponent("record-latency-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        self.path = self.folder.appendingPathComponent("trail.sqlite").path
        self.store = try TrailStore(path: self.path, app: "bench", configuration: .init(retention: .unlimited))
    }

    /// Removes the folder.
    func remove() { try? FileManager.default.removeItem(at: self.folder) }
}
