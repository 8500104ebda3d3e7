// A place for an object that most owners never need: empty until somebody asks, and then the same for everybody.

public import Synchronization

/// A reference that is stored at most once and read without a lock and without a count.
///
/// What is stored here is held until the place dies, which its reader's owner prevents: so a reference that is read may be
/// borrowed for as long as the owner is held. `AtomicLazyReference` is the same at five times the price.
///
/// The end of an empty place costs nothing; an optional field of a class is released by a call also when it is nil.
@usableFromInline
package struct OnDemand<Object: AnyObject & Sendable>: ~Copyable, Sendable {
    /// The address of a counted reference; 0 while there is none.
    @usableFromInline let address: Atomic<UInt>

    /// A place that is empty, or holds the object from the start.
    @inlinable
    @inline(__always)
    package init(_ object: consuming Object? = nil) {
        if let object {
            self.address = Atomic(UInt(bitPattern: Unmanaged.passRetained(object).toOpaque()))
        } else {
            self.address = Atomic(0)
        }
    }

    /// Lets the object go before the place ends, in the `deinit` of the place's owner: nobody else can look then.
    @inlinable
    @inline(__always)
    package func empty() {
        guard let object = self.borrowed else { return }
        self.address.store(0, ordering: .relaxed)
        object.release()
    }

    @inlinable
    deinit {
        // Nobody holds the owner any more; the reference is the one that was counted when it was stored.
        Self.reference(at: self.address.load(ordering: .acquiring))?.release()
    }

    /// The object, to be borrowed for as long as the owner of the place is held.
    @inlinable
    @inline(__always)
    package var borrowed: Unmanaged<Object>? { Self.reference(at: self.address.load(ordering: .acquiring)) }

    /// The object, if it is there.
    @inlinable
    @inline(__always)
    package var object: Object? { self.borrowed?.takeUnretainedValue() }

    /// Stores the object, unless another one was faster. Returns the one that is there now.
    @inlinable
    @inline(never)
    package func store(_ object: Object) -> Object {
        let counted = Unmanaged.passRetained(object)
        let (isFirst, first) = self.address.compareExchange(
            expected: 0,
            desired: UInt(bitPattern: counted.toOpaque()),
            ordering: .acquiringAndReleasing
        )
        if isFirst { return object }
        counted.release()
        return Self.reference(at: first)?.takeUnretainedValue() ?? object
    }

    @inlinable
    @inline(__always)
    static func reference(at address: UInt) -> Unmanaged<Object>? {
        UnsafeRawPointer(bitPattern: address).map { Unmanaged.fromOpaque($0) }
    }
}
