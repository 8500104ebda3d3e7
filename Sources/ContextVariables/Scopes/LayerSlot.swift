// The place for context layers of a scope that began without any.

private import Synchronization

/// Holds context layers from the first push on. Written once, read without a lock.
final class LayerSlot: Sendable {
    /// Atomic references are to classes, and this is one around a protocol's value.
    private final class Filling: Sendable {
        let layers: any ScopeLayers

        init(_ layers: any ScopeLayers) {
            self.layers = layers
        }
    }

    private let filling = AtomicLazyReference<Filling>()
    /// Most slots are never filled, and looking at a flag costs less than looking for a reference.
    private let isFilled = Atomic<Bool>(false)

    init(_ layers: (any ScopeLayers)? = nil) {
        if let layers { self.fill(layers) }
    }

    @inline(__always)
    var layers: (any ScopeLayers)? {
        self.isFilled.load(ordering: .acquiring) ? self.filling.load()?.layers : nil
    }

    /// Stores the layers, unless there are some already; says whether it did.
    @discardableResult
    func fill(_ layers: any ScopeLayers) -> Bool {
        let filling = Filling(layers)
        guard self.filling.storeIfNil(filling) === filling else { return false }
        self.isFilled.store(true, ordering: .releasing)
        return true
    }
}
