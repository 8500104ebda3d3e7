// What a type does to say itself what the trail keeps of it.

/// A type that writes itself what the trail keeps of it, at the levels that keep values (``FlightRecorder/Level/full``).
///
/// Value types that are `Encodable` need nothing: they are kept and encoded by the drain, off the path of the request. An object
/// is described by its type and identity, because what it holds may have changed by then; one that conforms is encoded at once,
/// on the thread that sets it, and the trail says how long that took (`encode_ns`).
///
/// What it writes is redacted and cut as any other value (16 KiB, 16 levels, 256 members each). An error costs the trail this one
/// value and reaches nobody. Values that are set while it writes are described, and it loses its own.
public protocol TrailEncodable: Sendable {
    /// Writes what is to be kept. Called on the thread that sets the value, under no lock.
    func encodeForTrail(to encoder: any Encoder) throws
}
